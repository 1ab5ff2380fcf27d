"""From a function that computes tables to a Dagster asset.

``@table_asset`` takes care of what all table assets share: loading inputs, the no-op when nothing changed, storing,
contract checks, metadata, data versions and, at the end of a chain, the commit. The assets themselves stand in
``assets/``.
"""

import contextlib
import functools
import inspect
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import dagster as dg
import pyarrow as pa

from clustering_platform.config_section import SettingError
from clustering_platform.orchestration.automation import FOLLOWING, condition_of
from clustering_platform.orchestration.checks import CONTRACT_CHECK, violations
from clustering_platform.orchestration.failures import told_apart
from clustering_platform.orchestration.previews import column_schema, preview
from clustering_platform.orchestration.progress import Progress
from clustering_platform.orchestration.publication import Publication
from clustering_platform.orchestration.recipes import ROOM_VERSIONS
from clustering_platform.orchestration.warehouse import PATH_KEY, UNCHANGED_KEY
from clustering_platform.store.files import StoredFile
from clustering_platform.store.reading import StoredTable
from clustering_platform.tables import TABLES

if TYPE_CHECKING:
    from clustering_platform.names_config import NamesConfig
    from clustering_platform.naming.answer_cache import AnswerCache
    from clustering_platform.naming.asking import Embed
    from clustering_platform.semantics.embedders.protocol import Embedder
    from clustering_platform.semantics.embedding_cache import EmbeddingCache

Tables: TypeAlias = tuple[pa.Table, ...]
CONFIG_ASSET = "dataset_config"
FILES_ASSET = "dataset_files"


@dataclass
class Run(Publication):
    """What a computing function may know of the run it is in, and a place for what it wants to tell.

    `metadata` is shown with every table of the asset; `checks` holds results of declared checks by (table, name).
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    checks: dict[tuple[str, str], dg.AssetCheckResult] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The day of an opinion snapshot.

        Raises
        ------
        ValueError
            The run is about a dataset as a whole.
        """
        if self.part.day is None:
            raise ValueError(f"{self.part} is not a day")
        return self.part.day

    def embedding_cache(self) -> "EmbeddingCache":
        """Return the cache of vectors made before, shared by all datasets."""
        from clustering_platform.semantics.embedding_cache import CacheLimits, EmbeddingCache

        settings = self.warehouse.settings
        limits = CacheLimits(settings.cache_max_bytes, settings.cache_max_age_days, settings.cache_partial_days)
        return EmbeddingCache(settings.embedding_cache, limits=limits)

    def named_by_model(self) -> "NamesConfig":
        """Return the settings of the language model.

        Raises
        ------
        SettingError
            There is none in the settings of the dataset.
        """
        if self.config.names.provider == "offline":
            raise SettingError(
                "names.provider: is `offline`; set it to `openai` in dataset.yaml to ask a language model"
            )
        return self.config.names

    def answer_cache(self) -> "AnswerCache":
        """Return the cache of what language models answered, shared by all datasets."""
        from clustering_platform.naming.answer_cache import AnswerCache

        return AnswerCache(self.warehouse.settings.cache / "answers" / "answers.sqlite")

    @cached_property
    def progress(self) -> Progress:
        """Reports progress to the log and to who watches."""
        return Progress(self.log.info)

    @contextlib.contextmanager
    def embedder(self) -> "Iterator[Embedder]":
        """Yield the embedder of the dataset and release it; what its calls cost goes to the log and the metadata."""
        from clustering_platform.semantics.embedders.protocol import Metered

        with self.create_embedder() as embedder:
            if not isinstance(embedder, Metered):
                yield embedder
                return
            embedder.announce = self.log.info
            try:
                yield embedder
            finally:
                if figures := embedder.figures():
                    self.metadata |= figures
                    self.log.info(", ".join(f"{name}: {figure:,}" for name, figure in figures.items()))

    @contextlib.contextmanager
    def text_embedding(self) -> "Iterator[Embed]":
        """Yield what returns the vectors of texts; those made before come from the cache."""
        from clustering_platform.semantics.item_embeddings import embed_texts

        cache, size = self.embedding_cache(), self.config.topics.embedding.batch_size
        with self.embedder() as embedder:
            yield functools.partial(embed_texts, embedder=embedder, cache=cache, batch_size=size)

    def shown_before(self, file: StoredFile) -> dict[str, Any]:
        """Return the metadata, pictures included, with which a file was shown when it was made."""
        event = self.warehouse.newest(file.table, self.part, self.context.instance)
        return dict(event.metadata) if event and event.metadata[PATH_KEY].value == file.path else {}

    def check(self, table: str, name: str, *, passed: bool, description: str) -> None:
        """Record the result of a declared check."""
        self.checks[table, name] = dg.AssetCheckResult(
            asset_key=table, check_name=name, passed=passed, description=description
        )


@dataclass(frozen=True)
class Advice:
    """A check that warns and holds nothing up: it follows from the content of a table alone."""

    table: str
    name: str
    description: str
    judge: Callable[[pa.Table], tuple[bool, str]]

    def result(self, content: pa.Table) -> dg.AssetCheckResult:
        """Return what is to be said of the content."""
        passed, reason = self.judge(content)
        severity = dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            asset_key=self.table, check_name=self.name, passed=passed, severity=severity, description=reason
        )


@dataclass(frozen=True)
class TableAsset:
    """A function that computes tables, with what Dagster is to know of it."""

    function: Callable[..., pa.Table | Tables]
    tables: tuple[str, ...]
    kinds: frozenset[str]
    deps: tuple[str, ...]
    checks: tuple[tuple[str, str, str], ...]
    advice: tuple[Advice, ...]
    publishes: bool

    @property
    def inputs(self) -> list[str]:
        """Names of the tables that the function takes."""
        return [parameter.name for parameter in self._parameters]

    @property
    def _parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())[1:]

    def build(self, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
        """Return the asset in Dagster's terms.

        Tables that it reads are its dependencies, not inputs: Dagster writes two events and checks a type for each of
        these, which takes a fifth of a small run.
        """

        @dg.multi_asset(
            name=self.function.__name__,
            specs=[self._spec(name) for name in self.tables],
            check_specs=self._check_specs(),
            partitions_def=partitions,
            required_resource_keys={"warehouse", "embedders"},
            description=inspect.getdoc(self.function),
        )
        def compute(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
            with told_apart(context.log, context.retry_number):
                yield from self._materialize(context)

        return compute

    def _spec(self, name: str) -> dg.AssetSpec:
        contract = TABLES[name]
        return dg.AssetSpec(
            name,
            deps=[*self.inputs, *self.deps],
            group_name=contract.room,
            kinds=set(self.kinds),
            description=f"{contract.description} One row: {contract.grain}.",
            code_version=ROOM_VERSIONS[contract.room],
            automation_condition=condition_of(contract) if contract.room in FOLLOWING else None,
            metadata={"dagster/column_schema": column_schema(contract), "dagster/io_manager_key": "warehouse"},
        )

    def _check_specs(self) -> list[dg.AssetCheckSpec]:
        contract = [
            dg.AssetCheckSpec(
                CONTRACT_CHECK, asset=name, blocking=True, description="Types, nulls, ranges and keys as promised."
            )
            for name in self.tables
        ]
        return (
            contract
            + [
                dg.AssetCheckSpec(name, asset=table, blocking=True, description=description)
                for table, name, description in self.checks
            ]
            + [dg.AssetCheckSpec(one.name, asset=one.table, description=one.description) for one in self.advice]
        )

    def _materialize(self, context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        run = Run.of(context, TABLES[self.tables[0]].scope)
        if not (unchanged := run.unchanged(self.tables)):
            yield from self._compute(run)
            return
        commit, files = unchanged
        context.log.info(f"nothing changed since commit {commit.sequence}: nothing computed")
        if self.publishes:
            run.refresh_catalog()
            run.tell(f"nothing new since commit {commit.sequence}", commit)
        for file in files.values():
            yield self._result(run, file, run.shown_before(file) | {UNCHANGED_KEY: commit.sequence}, [])

    def _compute(self, run: Run) -> Iterator[dg.MaterializeResult[None]]:
        inputs = {name: run.open(name) for name in self.inputs}
        started = time.perf_counter()
        recipes = {name: run.recipe(name) for name in self.tables}
        computed = self.function(run, **self._loaded(inputs))
        tables = dict(zip(self.tables, computed if isinstance(computed, tuple) else (computed,), strict=True))
        figures: dict[str, Any] = {
            "seconds": round(time.perf_counter() - started, 3),
            "peak memory (MB)": _peak_memory(),
        }
        sources = {name: table.content for name, table in inputs.items()}
        faults = {name: violations(table, TABLES[name]) for name, table in tables.items()}
        refused = {table for (table, _), check in run.checks.items() if not check.passed}
        refused |= {name for name in tables if faults[name]}
        files = {name: run.write(name, tables[name], sources, recipes[name]) for name in (refused or tables)}
        if self.publishes and not refused:
            figures |= run.publish()
        elif not self.publishes:
            figures["published"] = f"not yet: that waits for {run.last_asset!r}"
        for name, file in files.items():
            shown = figures | run.metadata | {"preview": preview(tables[name], TABLES[name])}
            yield self._result(run, file, shown, faults[name])
        if refused:  # only what was refused is materialized, as evidence: nothing may be built on the rest
            raise dg.Failure(f"not as it must be: {', '.join(sorted(refused))}; see the checks", allow_retries=False)

    def _loaded(self, inputs: Mapping[str, StoredTable]) -> dict[str, pa.Table | StoredTable]:
        """Return the inputs as the function takes them: read whole, unless it asks for a `StoredTable`."""
        by_pieces = {parameter.name for parameter in self._parameters if parameter.annotation is StoredTable}
        return {name: table if name in by_pieces else table.read() for name, table in inputs.items()}

    def _result(
        self, run: Run, file: StoredFile, shown: dict[str, Any], faults: list[str]
    ) -> dg.MaterializeResult[None]:
        contract = dg.AssetCheckResult(
            asset_key=file.table,
            check_name=CONTRACT_CHECK,
            passed=not faults,
            description="; ".join(faults) or "as promised",
        )
        extra = [
            run.checks.get((table, name)) or _still_sound(table, name)
            for table, name, _ in self.checks
            if table == file.table
        ]
        extra += [one.result(run.warehouse.files.read(file)) for one in self.advice if one.table == file.table]
        run.warehouse.forget(file.table, run.part)
        return dg.MaterializeResult(
            asset_key=file.table,
            metadata={**shown, "dagster/row_count": file.rows, PATH_KEY: file.path, "size (bytes)": file.bytes},
            data_version=dg.DataVersion(file.content),
            check_results=[contract, *extra],
        )


def table_asset(
    *tables: str,
    kinds: Sequence[str] = ("python", "parquet"),
    deps: Sequence[str] = (),
    checks: Sequence[tuple[str, str, str]] = (),
    advice: Sequence[Advice] = (),
    publishes: bool = False,
) -> Callable[[Callable[..., pa.Table | Tables]], TableAsset]:
    """Make a table asset of a function ``(run, <input table>, ...) -> table or tuple of tables``.

    An input annotated as `StoredTable` is handed over unread, to be read piece by piece; all others are read whole.

    Parameters
    ----------
    tables
        Names of the tables that the function returns, in order.
    kinds
        Kinds shown in the Dagster UI.
    deps
        Assets it depends on beside the tables in its signature.
    checks
        Further blocking checks, (table, name, description); the function records their results.
    advice
        Checks that warn.
    publishes
        Whether it ends its chain: its run commits the tables of the dataset, or of the day.
    """

    def decorate(function: Callable[..., pa.Table | Tables]) -> TableAsset:
        return TableAsset(function, tables, frozenset(kinds), tuple(deps), tuple(checks), tuple(advice), publishes)

    return decorate


def _still_sound(table: str, name: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(asset_key=table, check_name=name, passed=True, description="as in the last commit")


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
