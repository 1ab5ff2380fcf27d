"""What was published, written as files for others; no part of any commit, and made only when asked for."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

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
        from clustering_platform.exports.placing import clear_drafts, placed_folder
        from clustering_platform.exports.polis import write_polis

        warehouse: Warehouse = context.resources.warehouse
        part = Slice.from_key(context.partition_key)
        conversation = read_conversation(warehouse.commits, warehouse.dataset(part.dataset), part.day)
        target = warehouse.settings.exports / part.dataset / str(part.day)
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_drafts(target)
        with placed_folder(target, replace=True) as folder:
            files = write_polis(conversation, folder)
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(target),
                "commit": conversation.tick,
                "files": dg.MetadataValue.md(_listed(files)),
                "size (bytes)": sum(file.bytes for file in files),
                "ids": "those of the dataset" if conversation.people.is_plain else "numbers, see participant-ids.csv",
            },
            data_version=dg.DataVersion(_content(target, files)),
        )

    return polis_export


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
