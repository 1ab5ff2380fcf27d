"""What a run publishes, and whether there is anything new to publish."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.dataset_config import DatasetConfig
from clustering_platform.datasets import Dataset
from clustering_platform.opinions.log import end_of, rows_until
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commit, Predecessor, RowAccounting, committed
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import StoredFile
from clustering_platform.store.reading import StoredTable
from clustering_platform.tables import TABLES, Room

if TYPE_CHECKING:
    from clustering_platform.ingest.pseudonyms import Pseudonyms
    from clustering_platform.semantics.embedding import Embedder
    from clustering_platform.semantics.image_embedder import ImageEmbedder
    from clustering_platform.semantics.pieces import PieceKind

# Raise the number of a room when its results change with the same input and settings.
ROOM_VERSIONS: dict[Room, str] = {"ingest": "2", "opinions": "3", "topics": "1"}

FORCE_TAG = "clustering/force"
_LAST_ASSETS = {"dataset": "topic_names", "day": "opinion_snapshot"}


@dataclass
class Publication:
    """A run on one slice: where it reads, where it writes, what it commits."""

    warehouse: Warehouse
    part: Slice
    context: dg.AssetExecutionContext
    _recipes: dict[str | date, str] = field(default_factory=dict)

    @classmethod
    def of(cls, context: dg.AssetExecutionContext) -> Self:
        """Return the publication that an asset is part of."""
        return cls(context.resources.warehouse, Slice.from_key(context.partition_key), context)

    @property
    def log(self) -> Any:
        """The run's log in Dagster."""
        return self.context.log

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset of the run."""
        return self.warehouse.dataset(self.part.dataset)

    @property
    def config(self) -> DatasetConfig:
        """The settings of the dataset."""
        return self.dataset.config

    @property
    def scope(self) -> str:
        """`day` for an opinion snapshot, `dataset` otherwise."""
        return "day" if self.part.day else "dataset"

    @property
    def last_asset(self) -> str:
        """The asset that publishes the chain."""
        return _LAST_ASSETS[self.scope]

    @property
    def table_names(self) -> list[str]:
        """The tables that are committed together."""
        return [table.name for table in TABLES.values() if table.scope == self.scope]

    @property
    def code_version(self) -> str:
        """The versions of the rooms that take part."""
        rooms = sorted({TABLES[name].room for name in self.table_names})
        return " ".join(f"{room}-{ROOM_VERSIONS[room]}" for room in rooms)

    def file(self, table: str) -> StoredFile:
        """Return the file of a table that this run is to read or publish, be it of the day or of the dataset."""
        run, instance = self.context.run, self.context.instance
        if TABLES[table].scope == self.scope:
            return self.warehouse.locate(table, self.part, run, instance)
        return self.warehouse.locate_settled(table, Slice(self.part.dataset), run, instance)

    def write(self, table: str, content: pa.Table, inputs: Mapping[str, str], recipe: str) -> StoredFile:
        """Store a table under the id of this run."""
        return self.warehouse.files.write(
            content,
            TABLES[table],
            dataset=self.part.dataset,
            day=self.part.day,
            run_id=self.context.run.run_id,
            inputs=inputs,
            recipe=recipe,
        )

    def recipe(self, table: str) -> str:
        """Return a hash of all that a table depends on: input, settings and code version."""
        room = TABLES[table].room
        if self.part.day and room == "opinions":
            return self.day_recipe(self.part.day)
        step = room if room == "ingest" else table
        if step not in self._recipes:
            self._recipes[step] = _hash([ROOM_VERSIONS[room], *self._ingredients(step)])
        return self._recipes[step]

    def day_recipe(self, day: date) -> str:
        """Return a hash of all that the tables of a day depend on, whether or not they were made.

        These are the votes up to its end, ids and moderation of the items voted on by then, the settings of opinions,
        the code version and the commit that the day goes on from. Votes of later days change nothing, nor do items
        that came later, nor texts.
        """
        if day not in self._recipes:
            votes, items = self._log()
            settings = self.config.opinions.model_dump(mode="json")
            before = self._before(day)
            ingredients = [votes.digest(rows_until(votes, day)), _moderation(items, day), settings]
            ingredients += [before.fingerprint] if before else []
            self._recipes[day] = _hash([ROOM_VERSIONS["opinions"], *ingredients])
        return self._recipes[day]

    def _log(self) -> tuple[StoredTable, StoredTable]:
        """Return the tables `votes` and `items`; with `voters`, they name each other's rows by number.

        Raises
        ------
        StoreError
            The three were not made together.
        """
        votes, items, voters = (self.file(name) for name in ("votes", "items", "voters"))
        if not votes.recipe == items.recipe == voters.recipe:
            raise StoreError(
                f"votes, items and voters of {self.part.dataset!r} were not read together; run 'topics' again"
            )
        return self.warehouse.files.open(votes), self.warehouse.files.open(items)

    @cached_property
    def predecessor(self) -> Commit | None:
        """The commit of an earlier day that this one goes on from; None where it starts anew."""
        return self._before(self.part.day) if self.part.day else None

    def _before(self, day: date) -> Commit | None:
        is_warm = self.config.opinions.continuity == "warm"
        return self.warehouse.commits.before(self.part.dataset, day) if is_warm else None

    def _ingredients(self, step: str) -> list[Any]:
        """Return what a table depends on; the settings of topics that only naming reads leave the tree as it is."""
        topics = self.config.topics
        match step:
            case "ingest":
                settings = self.config.model_dump(mode="json", include={"source", "privacy", "ingest"})
                return [self.dataset.fingerprint(settings=False), settings, self.pseudonyms().tag]
            case "chunks":
                taking_part = [self.file("items").recipe, topics.include_rejected]
                if self.piece_kind != "texts":
                    return [*taking_part, self.piece_kind]
                return [*taking_part, topics.chunks.model_dump(mode="json"), self._text_model()]
            case "embeddings":
                if self.piece_kind == "given":
                    return [self.recipe("chunks")]
                if self.piece_kind == "images":
                    with self.image_embedder() as pictures:
                        return [self.recipe("chunks"), topics.images.model_dump(mode="json"), pictures.model]
                return [self.recipe("chunks"), topics.embedding.model_dump(mode="json"), self._text_model()]
            case "document_topics":
                return [self.recipe("topic_tree")]
            case "projection":
                return [self.recipe("embeddings"), topics.seed]
            case "topic_names":
                settings = topics.model_dump(mode="json", include={"name_words"})
                return [self.recipe("topic_tree"), settings, self._text_model()]
            case _:
                settings = topics.model_dump(
                    mode="json", exclude={"include_rejected", "embedding", "images", "chunks", "name_words"}
                )
                return [self.recipe("embeddings"), settings]

    @property
    def piece_kind(self) -> PieceKind:
        """What the vectors of the dataset are made from."""
        if self.config.source.vectors.is_given:
            return "given"
        files = self.warehouse.files.open(self.file("items")).read("file")["file"]
        return "images" if files.null_count < len(files) else "texts"

    def _text_model(self) -> str:
        with self.embedder() as embedder:
            return embedder.model

    def pseudonyms(self) -> Pseudonyms:
        """Return what stands for the ids of voters."""
        from clustering_platform.ingest.pseudonyms import Pseudonyms

        return Pseudonyms.for_dataset(self.dataset, self.warehouse.settings)

    def embedder(self) -> AbstractContextManager[Embedder]:
        """Return the embedder of the dataset; leaving its block releases the model."""
        settings = self.config.topics.embedding
        embedder: AbstractContextManager[Embedder] = self.context.resources.embedders.create(settings)
        return embedder

    def image_embedder(self) -> AbstractContextManager[ImageEmbedder]:
        """Return the embedder of the dataset's pictures; leaving its block releases the model."""
        embedder: AbstractContextManager[ImageEmbedder] = self.context.resources.embedders.create_for_images(
            self.config.topics.images
        )
        return embedder

    def unchanged(self, tables: Sequence[str]) -> tuple[Commit, dict[str, StoredFile]] | None:
        """Return the newest commit and its files of `tables`, if this run would only make the same again.

        The asset that publishes also asks for all other files of the commit to be there.
        """
        newest = self.warehouse.commits.newest(self.part.dataset, self.part.day)
        if newest is None or self.context.run.tags.get(FORCE_TAG) == "true":
            return None
        try:
            needed = self.table_names if self.last_asset in tables else tables
            files = {name: self.warehouse.commits.committed_file(newest, name) for name in needed}
        except StoreError as error:
            self.log.info(f"commit {newest.sequence} is not whole any more: {error}")
            return None
        same = all(files[name].recipe == self.recipe(name) for name in tables)
        return (newest, {name: files[name] for name in tables}) if same else None

    def publish(self) -> dict[str, Any]:
        """Commit the tables of the slice, make the catalog anew and return what to show of it."""
        files = {name: self.file(name) for name in self.table_names}
        self._check_recipes(files)
        status, reason = self._status(files)
        commit = Commit(
            dataset=self.part.dataset,
            day=self.part.day,
            sequence=self.warehouse.base_sequence + 1,
            status=status,
            reason=reason,
            run_id=self.context.run.run_id,
            fingerprint=self._fingerprint(files),
            code_version=self.code_version,
            tables=committed(files),
            rows=self._rows(files),
            continuity=self.config.opinions.continuity if self.part.day else "cold",
            predecessor=_as_predecessor(self.predecessor),
        )
        self.warehouse.commits.publish(commit)
        self.refresh_catalog()
        self.log.info(f"published commit {commit.sequence} of {self.part}: {status}")
        return {"commit": commit.sequence, "status": reason or status}

    def refresh_catalog(self) -> None:
        """Make the catalog anew from the commits."""
        rebuild_catalog(self.warehouse.commits, self.warehouse.settings.catalog)

    def _fingerprint(self, files: Mapping[str, StoredFile]) -> str:
        return files[self.last_asset].recipe if self.part.day else _hash({name: files[name].recipe for name in files})

    def _check_recipes(self, files: Mapping[str, StoredFile]) -> None:
        """Refuse files that were made from different input, with different settings or by different code."""
        for name, file in files.items():
            expected = files["items"].recipe if TABLES[name].room == "ingest" else self.recipe(name)
            if file.recipe != expected:
                raise StoreError(
                    f"table {name!r} of {self.part} was made from other input or with other settings than stand now; "
                    f"materialize {name!r} again, or the whole job"
                )

    def _status(self, files: Mapping[str, StoredFile]) -> tuple[str, str | None]:
        if "opinion_snapshot" not in files:
            return "ready", None
        row = self.warehouse.files.read(files["opinion_snapshot"]).to_pylist()[0]
        return row["status"], row["reason"]

    def _rows(self, files: Mapping[str, StoredFile]) -> RowAccounting | None:
        if "ingest_report" not in files:
            return None
        report = self.warehouse.files.read(files["ingest_report"])
        counts = {name: sum(report[name].to_pylist()) for name in RowAccounting.model_fields}
        return RowAccounting(**counts)


def _as_predecessor(commit: Commit | None) -> Predecessor | None:
    if commit is None or commit.day is None:
        return None
    return Predecessor(day=commit.day, sequence=commit.sequence, fingerprint=commit.fingerprint)


@functools.lru_cache(64)
def _moderation(items: StoredTable, day: date) -> str:
    """Return a hash of ids and moderation of the items that were voted on by the end of a day."""
    columns = ["item_id", "moderation", "is_meta"]
    rows = items.read(*columns, "first_vote_at")
    voted = rows.filter(pc.less(rows["first_vote_at"], pa.scalar(end_of(day), rows["first_vote_at"].type)))
    return _hash(voted.select(columns).sort_by("item_id").to_pydict())


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
