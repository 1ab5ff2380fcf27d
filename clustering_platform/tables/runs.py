"""Contract of the history of runs: made of recordings, not computed, and no part of any commit."""

from clustering_platform.tables.contract import Column

RUN_STATUSES = ("queued", "waiting", "running", "succeeded", "failed", "cancelled", "killed")
LAUNCHERS = (
    "command line",
    "Dagster UI",
    "Dagster command",
    "schedule",
    "sensor",
    "automation",
    "backfill",
    "re-execution",
    "retry",
)
RUNS_GRAIN = "Every run of every dataset, whatever became of it. One row: a run, as it was last recorded."
RUN_COLUMNS = (
    Column("run_id", "string", "Id of the run in Dagster."),
    Column("dataset", "string", "Name of the dataset; null where the run names none.", nullable=True),
    Column("day", "date", "Day of an opinion snapshot; null for the dataset as a whole.", nullable=True),
    Column("job", "string", "Job; null where assets were materialized without one.", nullable=True),
    Column("partition", "string", "Partition key in Dagster.", nullable=True),
    Column(
        "launched_by",
        "string",
        "Who or what launched it. `command line`: `clustering ...`; `Dagster UI`: by hand, there or through its "
        "GraphQL API; `Dagster command`: `dagster asset materialize` and the like; `retry`: Dagster itself, after a "
        "crash.",
        values=LAUNCHERS,
    ),
    Column(
        "launcher",
        "string",
        "Which one: command, name of the schedule or sensor, id of the backfill, id of the run that it re-executes or "
        "retries.",
        nullable=True,
    ),
    Column(
        "parameters",
        "string",
        "As JSON, what differs from the usual: `force`, `refit`, `names`; `assets` or `steps` where not all of the "
        "job; `config`.",
    ),
    Column(
        "status",
        "string",
        "`waiting`: launched, it may wait for another run of the dataset; `running`: it has the dataset to itself; "
        "`killed`: it ended without a word.",
        values=RUN_STATUSES,
    ),
    Column("created_at", "timestamp", "When it was asked for."),
    Column("started_at", "timestamp", "When it began.", nullable=True),
    Column("ended_at", "timestamp", "When it ended, or was found killed.", nullable=True),
    Column("seconds", "float64", "From begin to end.", nullable=True, minimum=0),
    Column("commit", "int64", "Number of the commit that it published; null where it published none.", nullable=True),
    Column("outcome", "string", "What came of it, in words."),
    Column("voters", "int64", "Voters in what it published, or found to be as published.", nullable=True, minimum=0),
    Column("items", "int64", "Items of the same.", nullable=True, minimum=0),
    Column("clusters", "int64", "Groups of a day, topics of a dataset.", nullable=True, minimum=0),
    Column("error", "string", "What went wrong first, in short.", nullable=True),
    Column("recorded_at", "timestamp", "When this was recorded."),
)
