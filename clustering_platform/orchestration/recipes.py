"""What each table depends on: the recipe of a table is a hash of its input, its settings and the version of the code.

Publishing, and telling whether there is anything new to publish, belongs in ``publication``.
"""

from __future__ import annotations

import functools
import hashlib
import json
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
from clustering_platform.orchestration.published_days import PublishedDays
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.store.commits import Commit
from clustering_platform.store.curation import Decision
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import StoredFile
from clustering_platform.store.reading import StoredTable
from clustering_platform.tables import TABLES, Room, Scope
from clustering_platform.tables.outcomes import OUTCOME_TABLES
from clustering_platform.tables.topic_opinions import TOPIC_OPINION_TABLES

if TYPE_CHECKING:
    from clustering_platform.ingest.pseudonyms import Pseudonyms
    from clustering_platform.semantics.embedders.protocol import Embedder
    from clustering_platform.semantics.image_embedder import ImageEmbedder
    from clustering_platform.semantics.pieces import PieceKind

# Raise the number of a room when its results change with the same input and settings.
ROOM_VERSIONS: dict[Room, str] = {"ingest": "3", "opinions": "3", "topics": "3", "drift": "1"}

FORCE_TAG = "clustering/force"
REFIT_TAG = "clustering/refit"
NAMES_TAG = "clustering/names"
_OUTCOMES = {table.name for table in OUTCOME_TABLES}
_TOPIC_OPINIONS = {table.name for table in TOPIC_OPINION_TABLES}
_TAKING_PART = {"include_rejected", "only"}
_OF_PIECES = {"embedding", "images", "chunks"}
_OF_KEEPING = {"refit", "max_placed_share", "max_nowhere_share"}


@dataclass
class Recipes:
    """A run on one slice: what it reads, and what follows from that.

    `scope` is that of the tables it makes: `day` for an opinion snapshot, `days` for drift, else `dataset`.
    """

    warehouse: Warehouse
    part: Slice
    context: dg.AssetExecutionContext
    scope: Scope = "dataset"
    _recipes: dict[str | date, str] = field(default_factory=dict)

    @classmethod
    def of(cls, context: dg.AssetExecutionContext, scope: Scope) -> Self:
        """Return the publication that an asset is part of."""
        return cls(context.resources.warehouse, Slice.from_key(context.partition_key), context, scope)

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

    @cached_property
    def decisions(self) -> list[Decision]:
        """What people decided about the topics of the dataset before this run, oldest first."""
        return self.warehouse.decisions(self.part.dataset)

    def file(self, table: str) -> StoredFile:
        """Return the file of a table that this run is to read or publish, be it of its own scope or of the dataset."""
        part = self.part if TABLES[table].scope == self.scope else Slice(self.part.dataset)
        return self.warehouse.locate(table, part, self.context.run, self.context.instance)

    def open(self, table: str) -> StoredTable:
        """Return a table that this run is to read; nothing of it is read yet."""
        return self.warehouse.files.open(self.file(table))

    def recipe(self, table: str) -> str:
        """Return a hash of all that a table depends on: input, settings and code version."""
        room = TABLES[table].room
        if self.part.day and room == "opinions":
            of_day = self.day_recipe(self.part.day)
            published = [self._published_content(name) for name in ("item_topics", "chunks")]
            if table == "group_names":
                return hash_of([of_day, self.config.names.provider])
            return hash_of([of_day, *published]) if table in _TOPIC_OPINIONS else of_day
        step = room if room in ("ingest", "drift") else table
        if step not in self._recipes:
            ingredients = self.published_days.contents if room == "drift" else self._ingredients(step)
            self._recipes[step] = hash_of([ROOM_VERSIONS[room], *ingredients])
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
            self._recipes[day] = hash_of([ROOM_VERSIONS["opinions"], *ingredients])
        return self._recipes[day]

    def published(self, table: str, *columns: str) -> pa.Table | None:
        """Return a table of the newest commit of the dataset as a whole, or some columns; None where there is none.

        Raises
        ------
        StoreError
            Its file is gone.
        """
        if self._published_content(table) is None or self._whole is None:
            return None
        return self.warehouse.files.open(self.warehouse.commits.committed_file(self._whole, table)).read(*columns)

    def _published_content(self, table: str) -> str | None:
        """Return the content hash of a table of the newest commit of the dataset as a whole."""
        found = self._whole.tables.get(table) if self._whole else None
        return found.content if found else None

    @cached_property
    def _whole(self) -> Commit | None:
        return self.warehouse.commits.newest(self.part.dataset, None)

    @cached_property
    def published_days(self) -> PublishedDays:
        """The days of the dataset as they are published."""
        return PublishedDays(self.warehouse.commits, self.part.dataset)

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
        """Return what a table depends on; the settings of topics that only naming reads leave the tree as it is.

        What was published before is no part of it: the ids that topics had decide how they are called, not what they
        are, and the same tree once more gets the same ids.
        """
        from clustering_platform.semantics.curation import in_force
        from clustering_platform.semantics.kept_names import NAMER

        topics = self.config.topics
        match step:
            case "ingest":
                settings = self.config.model_dump(mode="json", include={"source", "privacy", "ingest", "outcomes"})
                return [self.dataset.fingerprint(settings=False), settings, self.pseudonyms().tag]
            case "chunks" | "embeddings":
                return self._piece_ingredients(step)
            case "document_topics":
                return [self.recipe("topic_tree")]
            case "projection":
                return [self.recipe("found_topics"), topics.seed]
            case "topic_tree" | "item_topics" | "topic_lineage":
                merges = [(merge.topic_id, merge.value) for merge in in_force(self.decisions, "merge")]
                return [self.recipe("found_topics"), merges]
            case "proposed_names":
                return [self.recipe("topic_tree"), NAMER, topics.name_words, *self._embedded_text]
            case "written_names":
                return [self.recipe("proposed_names"), self.config.names.provider]
            case _ if step in _OUTCOMES:
                return [
                    self.recipe("topic_tree"),
                    self.recipe("item_topics"),
                    self.file("outcomes").recipe,
                    topics.seed,
                ]
            case "topic_names" | "curation":
                return [self.recipe("written_names"), [row.model_dump(mode="json") for row in self.decisions]]
            case _:
                return [self.recipe("embeddings"), self.tree_settings]

    def _piece_ingredients(self, step: str) -> list[Any]:
        """Return what pieces and their vectors depend on."""
        topics, kind = self.config.topics, self.piece_kind
        if step == "chunks":
            taking_part = topics.model_dump(mode="json", include=_TAKING_PART)
            cutting = [topics.chunks.model_dump(mode="json"), *self._embedded_text] if kind == "texts" else []
            return [self.file("items").recipe, taking_part, kind, *cutting]
        return [self.recipe("chunks"), *self._embedding]

    @cached_property
    def _embedding(self) -> list[str]:
        """What says how pieces become vectors."""
        if self.piece_kind == "images":
            with self.create_image_embedder() as embedder:
                return [embedder.model]
        return self._embedded_text if self.piece_kind == "texts" else []

    @property
    def piece_kind(self) -> PieceKind:
        """What the vectors of the dataset are made from."""
        if self.config.source.vectors.is_given:
            return "given"
        files = self.open("items").read("file")["file"]
        return "images" if files.null_count < len(files) else "texts"

    @cached_property
    def _embedded_text(self) -> list[str]:
        """What says how texts become vectors; the name of the model tells all else that changes one."""
        settings = self.config.topics.embedding
        with self.create_embedder() as embedder:
            return [settings.provider, settings.template, embedder.model]

    @cached_property
    def tree_settings(self) -> str:
        """Hash of all but the items that a tree of topics depends on."""
        settings = self.config.topics.model_dump(mode="json", exclude=_OF_PIECES | _OF_KEEPING | {"name_words"})
        return hash_of([ROOM_VERSIONS["topics"], self.piece_kind, *self._embedding, settings])

    @property
    def is_refit(self) -> bool:
        """Whether the tree of topics is to be made anew in any case."""
        return self._is_tagged(REFIT_TAG)

    @property
    def asks_for_names(self) -> bool:
        """Whether a language model is to be asked for names."""
        return self._is_tagged(NAMES_TAG)

    def _is_tagged(self, tag: str) -> bool:
        return self.context.run.tags.get(tag) == "true"

    def pseudonyms(self) -> Pseudonyms:
        """Return what stands for the ids of voters."""
        from clustering_platform.ingest.pseudonyms import Pseudonyms

        return Pseudonyms.for_dataset(self.dataset, self.warehouse.settings)

    def create_embedder(self) -> AbstractContextManager[Embedder]:
        """Return the embedder of the dataset; leaving its block releases the model."""
        settings = self.config.topics.embedding
        embedder: AbstractContextManager[Embedder] = self.context.resources.embedders.create(settings)
        return embedder

    def create_image_embedder(self) -> AbstractContextManager[ImageEmbedder]:
        """Return the embedder of the dataset's pictures; leaving its block releases the model."""
        embedder: AbstractContextManager[ImageEmbedder] = self.context.resources.embedders.create_for_images(
            self.config.topics.images
        )
        return embedder


@functools.lru_cache(64)
def _moderation(items: StoredTable, day: date) -> str:
    """Return a hash of ids and moderation of the items that were voted on by the end of a day."""
    columns = ["item_id", "moderation", "is_meta"]
    rows = items.read(*columns, "first_vote_at")
    voted = rows.filter(pc.less(rows["first_vote_at"], pa.scalar(end_of(day), rows["first_vote_at"].type)))
    return hash_of(voted.select(columns).sort_by("item_id").to_pydict())


def hash_of(value: Any) -> str:
    """Return a hash of a value that JSON can say."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
