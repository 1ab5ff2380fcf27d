"""Small datasets made in a test's own folder."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from clustering_platform.datasets import CONFIG_FILE, Dataset
from clustering_platform.ingest.ingest import Ingested, ingest_dataset
from clustering_platform.ingest.pseudonyms import Pseudonyms

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
T = 1_790_000_000_000
"""A time in the weeks before `NOW`, in milliseconds."""
PLAIN = Pseudonyms()
KEYED = Pseudonyms(b"key of the tests")

VOTES_HEADER = "voter_id,item_id,vote,voted_at\n"
ITEMS = "id,text\ns1,First statement\ns2,Second statement\n"


def make_dataset(folder: Path, files: Mapping[str, str | bytes], config: Mapping[str, Any] | None = None) -> Dataset:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if config is not None:
        (folder / CONFIG_FILE).write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    return Dataset("conversation", folder)


def ingest(
    folder: Path,
    files: Mapping[str, str | bytes],
    config: Mapping[str, Any] | None = None,
    *,
    pseudonyms: Pseudonyms = PLAIN,
    now: datetime = NOW,
) -> Ingested:
    return ingest_dataset(make_dataset(folder, files, config), pseudonyms, now=now)


def votes_csv(rows: Sequence[Sequence[object]], header: str = VOTES_HEADER) -> str:
    return header + "".join(",".join(str(value) for value in row) + "\n" for row in rows)


def findings(ingested: Ingested) -> list[str]:
    return [finding for row in ingested.report["findings"].to_pylist() for finding in row]


def refused(ingested: Ingested) -> list[tuple[int, str]]:
    return [(row["line"], row["reason"]) for row in ingested.quarantine.to_pylist()]


def last_votes(ingested: Ingested) -> dict[tuple[str, str], int]:
    return {
        (row["voter_id"], row["item_id"]): row["vote"] for row in ingested.votes.to_pylist() if not row["is_superseded"]
    }
