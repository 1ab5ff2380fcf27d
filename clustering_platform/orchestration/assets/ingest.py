"""Input files to clean tables."""

from clustering_platform.orchestration.table_assets import CONFIG_ASSET, FILES_ASSET, Run, Tables, table_asset


@table_asset(
    "items",
    "item_vectors",
    "votes",
    "voters",
    "outcomes",
    "quarantine",
    "ingest_report",
    deps=(FILES_ASSET, CONFIG_ASSET),
    checks=(
        ("ingest_report", "row_accounting", "read = accepted + quarantined + superseded."),
        ("quarantine", "quarantined_share", "Few enough rows are refused to publish the rest."),
    ),
)
def ingest(run: Run) -> Tables:
    """Read the dataset's files: votes, voters, items, vectors, outcomes, refused rows, and a report for each file."""
    from clustering_platform.ingest.ingest import ingest_dataset

    ingested = ingest_dataset(run.dataset, run.pseudonyms())
    counts = {name: getattr(ingested, name) for name in ("read", "accepted", "quarantined", "superseded")}
    run.metadata |= counts
    run.check(
        "ingest_report",
        "row_accounting",
        passed=counts["read"] == counts["accepted"] + counts["quarantined"] + counts["superseded"],
        description=", ".join(f"{count} {name}" for name, count in counts.items()),
    )
    refusal = ingested.refusal(run.config.ingest.max_quarantined)
    run.check("quarantine", "quarantined_share", passed=refusal is None, description=refusal or "within the limit")
    log = ingested.votes, ingested.voters
    return ingested.items, ingested.vectors, *log, ingested.outcomes, ingested.quarantine, ingested.report


INGEST_ASSETS = [ingest]
