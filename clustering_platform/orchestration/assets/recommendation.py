"""Which strategy of topics suits a dataset: made only when asked for, and no part of any commit.

It costs more than the tree, so it is not made with it; what it says goes into `dataset.yaml` by hand.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa

from clustering_platform.orchestration.checks import violations
from clustering_platform.orchestration.failures import told_apart
from clustering_platform.orchestration.previews import column_schema, grid
from clustering_platform.orchestration.recipes import Recipes
from clustering_platform.orchestration.warehouse import PATH_KEY
from clustering_platform.settings import Settings
from clustering_platform.tables.topic_recommendation import TOPIC_RECOMMENDATION

ASSET = TOPIC_RECOMMENDATION.name
CODE_VERSION = "1"
_SHOWN = ("rank", "strategy", "algorithm", "resolution", "topics", "stability", "silhouette", "coverage", "reason")


def recommendation_file(settings: Settings, dataset: str) -> Path:
    """Return the Parquet file with the newest recommendation for a dataset."""
    return settings.exports / dataset / f"{ASSET}.parquet"


def build_topic_recommendation_asset(datasets: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Return the asset that tries the strategies of topics on a sample and recommends one."""

    @dg.asset(
        name=ASSET,
        deps=["embeddings"],
        group_name="topics",
        kinds={"umap", "parquet"},
        partitions_def=datasets,
        required_resource_keys={"warehouse"},
        code_version=CODE_VERSION,
        description=f"{TOPIC_RECOMMENDATION.description} One row: {TOPIC_RECOMMENDATION.grain}.",
        metadata={"dagster/column_schema": column_schema(TOPIC_RECOMMENDATION)},
    )
    def topic_recommendation(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from clustering_platform.semantics.recommending import build_topic_recommendation

        with told_apart(context.log, context.retry_number):
            run = Recipes.of(context, "dataset")
            clock = _Clock(context)
            vectors = run.open("embeddings").read("vector")
            table = build_topic_recommendation(vectors, config=run.config.topics, around=clock.around)
            if faults := violations(table, TOPIC_RECOMMENDATION):
                raise dg.Failure(f"not as it must be: {'; '.join(faults)}", allow_retries=False)
            target = recommendation_file(run.warehouse.settings, run.part.dataset)
            return dg.MaterializeResult(
                metadata=_shown(table) | {"CPU seconds": clock.figures(), PATH_KEY: dg.MetadataValue.path(target)},
                data_version=dg.DataVersion(_write(table, target)),
            )

    return topic_recommendation


class _Clock:
    """Tells the log which trial runs, and counts the CPU seconds of each."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._log = context.log
        self._seconds: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def around(self, trial: str) -> Iterator[None]:
        self._log.info(f"trying {trial}")
        started = time.process_time()
        yield
        self._seconds[trial] += time.process_time() - started

    def figures(self) -> dict[str, float]:
        return {trial: round(seconds, 2) for trial, seconds in self._seconds.items()}


def _shown(table: pa.Table) -> dict[str, dg.MetadataValue]:
    from clustering_platform.semantics.recommending import settings_of

    rows = sorted(table.to_pylist(), key=lambda row: row["rank"])
    if not rows:
        return {"recommended": dg.MetadataValue.text("nothing: there are too few distinct items")}
    return {
        "recommended": dg.MetadataValue.md(f"```yaml\n{settings_of(rows[0])}```\n\n{rows[0]['reason']}"),
        "trials": grid(_SHOWN, rows),
    }


def _write(table: pa.Table, target: Path) -> str:
    """Write the table in place of the one that is there, and return the hash of its content."""
    from clustering_platform.exports.placing import placed_file
    from clustering_platform.store.encoding import write_parquet

    target.parent.mkdir(parents=True, exist_ok=True)
    with placed_file(target, replace=True) as file:
        return write_parquet(table, file, digested=(), notes=lambda *_: {})
