"""What a run publishes, and whether there is anything new to publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from clustering_platform.orchestration.recipes import FORCE_TAG, ROOM_VERSIONS, Recipes, hash_of
from clustering_platform.orchestration.run_rows import result_tags
from clustering_platform.orchestration.warehouse import ancestry
from clustering_platform.store.catalog import is_current, rebuild_catalog
from clustering_platform.store.commits import Commit, Predecessor, RowAccounting, committed
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import StoredFile
from clustering_platform.tables import TABLES

_NAMES_OF = {"dataset": "written_names", "day": "group_names", "days": None}
_LAST_ASSETS = {"dataset": "topic_names", "day": "opinion_snapshot", "days": "drift_days"}


@dataclass
class Publication(Recipes):
    """A run on one slice: what it writes and commits."""

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

    def unchanged(self, tables: Sequence[str]) -> tuple[Commit, dict[str, StoredFile]] | None:
        """Return the newest commit and its files of `tables`, if this run would only make the same again.

        The asset that publishes asks the same of all other files of the commit.
        """
        newest = self.warehouse.commits.newest(self.part.dataset, self.part.day, scope=self.scope)
        is_wanted = self._is_tagged(FORCE_TAG) or (self.is_refit and TABLES[tables[0]].room == "topics")
        if newest is None or is_wanted or (self.asks_for_names and self._has_other_names(newest, tables)):
            return None
        try:
            needed = self.table_names if self.last_asset in tables else tables
            files = {name: self.warehouse.commits.committed_file(newest, name) for name in needed}
        except StoreError as error:
            self.log.info(f"commit {newest.sequence} is not whole any more: {error}")
            return None
        same = all(files[name].recipe == self._expected(name, tables) for name in needed)
        return (newest, {name: files[name] for name in tables}) if same else None

    def _has_other_names(self, newest: Commit, tables: Sequence[str]) -> bool:
        """Tell whether a language model is still to be asked, or named topics otherwise than in a commit."""
        names = _NAMES_OF[self.scope]
        if names is None:
            return False
        published = newest.tables.get(names)
        return names in tables or published is None or self.file(names).content != published.content

    def publish(self) -> dict[str, Any]:
        """Commit the tables of the slice, make the catalog anew and return what to show of it."""
        files = {name: self.file(name) for name in self.table_names}
        self._check_recipes(files)
        status, reason = self._status(files)
        commit = Commit(
            dataset=self.part.dataset,
            scope=self.scope,
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
        rebuild_catalog(self.warehouse.commits, self.warehouse.settings.catalog)
        self.tell(f"published commit {commit.sequence}" + (f": {reason}" if reason else ""), commit, commit.sequence)
        self.log.info(f"published commit {commit.sequence} of {self.part}: {status}")
        return {"commit": commit.sequence, "status": reason or status}

    def tell(self, outcome: str, commit: Commit, published: int | None = None) -> None:
        """Note in the tags of the run what came of it: the commit that it `published`, or that stays."""
        tags = result_tags(outcome, {"commit": published, **self._counts(commit)})
        self.context.instance.add_run_tags(self.context.run.run_id, tags)

    def _counts(self, commit: Commit) -> dict[str, int]:
        if snapshot := commit.tables.get("opinion_snapshot"):
            row = self.warehouse.files.read(snapshot.path).to_pylist()[0]
            return {"voters": row["voters"], "items": row["items"], "clusters": row["groups"]}
        tables = {"voters": "voters", "items": "items", "clusters": "topic_tree"}
        return {name: commit.tables[table].rows for name, table in tables.items() if table in commit.tables}

    def refresh_catalog(self) -> None:
        """Make the catalog anew from the commits, unless it knows them all."""
        commits, catalog = self.warehouse.commits, self.warehouse.settings.catalog
        if not is_current(commits, catalog):
            rebuild_catalog(commits, catalog)

    def _fingerprint(self, files: Mapping[str, StoredFile]) -> str:
        if self.scope != "dataset":
            return files[self.last_asset].recipe
        return hash_of({name: file.recipe for name, file in files.items()})

    def _check_recipes(self, files: Mapping[str, StoredFile]) -> None:
        """Refuse files that were made from different input, with different settings or by different code."""
        if "items" in files and self._is_inherited(files["items"]) and files["items"].recipe != self.recipe("items"):
            raise StoreError(
                f"the input of {self.part} changed since the run that this one re-executes read it; "
                "run the job 'topics' anew"
            )
        for name, file in files.items():
            if file.recipe != self._expected(name):
                raise StoreError(
                    f"table {name!r} of {self.part} was made from other input or with other settings than stand now; "
                    f"materialize {name!r} again, or the whole job"
                )

    def _is_inherited(self, file: StoredFile) -> bool:
        """Tell whether a file was written by a run that this one re-executes."""
        _, *earlier = ancestry(self.context.run, self.context.instance)
        return PurePath(file.path).stem in earlier

    def _expected(self, table: str, made: Sequence[str] = ()) -> str:
        """Return the recipe that stands now, for input that this asset does not read itself the one it was read by."""
        if TABLES[table].room == "ingest" and table not in made:
            return self.file("items").recipe
        return self.recipe(table)

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
