"""Cases of bad input: what they are made of and how they are checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clustering_platform.ingest.errors import IngestError
from clustering_platform_tests.ingest.folders import T, findings, ingest, refused, votes_csv
from clustering_platform_tests.ingest.writers import as_parquet


@dataclass(frozen=True)
class Refused:
    """The file is refused; the message holds all of these."""

    name: str
    files: Mapping[str, str | bytes]
    message: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """The file is read: so many rows count, these are in quarantine, these are replaced, this is noted."""

    name: str
    files: Mapping[str, str | bytes]
    accepted: int
    quarantined: tuple[tuple[int, str], ...] = ()
    superseded: int = 0
    finding: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def parquet(columns: Mapping[str, Any]) -> bytes:
    return as_parquet(pa.table(dict(columns)))


def votes(*rows: object) -> dict[str, str]:
    """Return a votes file of rows ``voter item vote time``; T stands for a good time."""
    cells = [[str(T) if cell == "T" else cell for cell in str(row).split(" ")] for row in rows]
    return {"votes.csv": votes_csv(cells)}


def lines(*objects: str) -> dict[str, str]:
    return {"votes.jsonl": "\n".join(objects) + "\n"}


def check_refused(case: Refused, folder: Path) -> None:
    with pytest.raises(IngestError) as error:
        ingest(folder, case.files, case.config or None)
    for part in case.message:
        assert part in str(error.value)


def check_read(case: Read, folder: Path) -> None:
    ingested = ingest(folder, case.files, case.config or None)
    assert tuple(refused(ingested)) == case.quarantined
    assert (ingested.accepted, ingested.superseded) == (case.accepted, case.superseded)
    assert ingested.read == case.accepted + case.superseded + len(case.quarantined)
    assert any(case.finding in finding for finding in findings(ingested)) or not case.finding
