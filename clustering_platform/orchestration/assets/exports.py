"""What was published, written as files for others; no part of any commit, and made only when asked for."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from clustering_platform.orchestration.failures import told_apart
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    from clustering_platform.exports.polis import WrittenFile

CODE_VERSION = "1"


def build_polis_export(days: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Return the asset that writes a day as the files of Polis."""

    @dg.asset(
        deps=["opinion_snapshot"],
        group_name="exports",
        kinds={"csv", "json"},
        partitions_def=days,
        required_resource_keys={"warehouse"},
        code_version=CODE_VERSION,
        description="The newest commit of a day as the files that Polis gives out: its CSV files and `math/pca2`.",
    )
    def polis_export(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from clustering_platform.exports.conversation import read_conversation
        from clustering_platform.exports.polis import write_polis

        with told_apart(context.log, context.retry_number):
            warehouse: Warehouse = context.resources.warehouse
            part = Slice.from_key(context.partition_key)
            conversation = read_conversation(warehouse.commits, warehouse.dataset(part.dataset), part.day)
            target = warehouse.settings.exports / part.dataset / str(part.day)
            files = _placed(target, lambda folder: write_polis(conversation, folder))
            ids = "those of the dataset" if conversation.people.is_plain else "numbers, see participant-ids.csv"
            return _result(target, files, {"commit": conversation.tick, "ids": ids})

    return polis_export


def build_topic_export(datasets: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Return the asset that writes the topics of a dataset as files for visualisers."""

    @dg.asset(
        deps=["topic_names"],
        group_name="exports",
        kinds={"csv", "json", "parquet"},
        partitions_def=datasets,
        required_resource_keys={"warehouse"},
        code_version=CODE_VERSION,
        description="The newest topics of a dataset with their items, as files for programs that draw and search.",
    )
    def topic_export(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from clustering_platform.exports.topic_files import write_topics
        from clustering_platform.exports.topics import read_topics

        with told_apart(context.log, context.retry_number):
            warehouse: Warehouse = context.resources.warehouse
            part = Slice.from_key(context.partition_key)
            topics = read_topics(warehouse.commits, warehouse.dataset(part.dataset))
            target = warehouse.settings.exports / part.dataset / "topics"
            files = _placed(target, lambda folder: write_topics(topics, folder))
            return _result(target, files, {"commit": topics.commit})

    return topic_export


def _placed(target: Path, write: Callable[[Path], "list[WrittenFile]"]) -> "list[WrittenFile]":
    """Write a folder in place of the one that is there."""
    from clustering_platform.exports.placing import clear_drafts, placed_folder

    target.parent.mkdir(parents=True, exist_ok=True)
    clear_drafts(target)
    with placed_folder(target, replace=True) as folder:
        return write(folder)


def _result(target: Path, files: "list[WrittenFile]", shown: dict[str, Any]) -> dg.MaterializeResult[None]:
    about: dict[str, Any] = {
        "folder": dg.MetadataValue.path(target),
        "files": dg.MetadataValue.md(_listed(files)),
        "size (bytes)": sum(file.bytes for file in files),
    }
    return dg.MaterializeResult(metadata=about | shown, data_version=dg.DataVersion(_content(target, files)))


def _content(folder: Path, files: "list[WrittenFile]") -> str:
    """Return a hash of names and bytes of the files."""
    digest = hashlib.sha256()
    for file in files:
        with (folder / file.name).open("rb") as content:
            digest.update(file.name.encode() + b"\0" + hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:32]


def _listed(files: "list[WrittenFile]") -> str:
    rows = [f"| {file.name} | {file.bytes:,} |" for file in files]
    return "\n".join(["| file | bytes |", "| --- | ---: |", *rows])
