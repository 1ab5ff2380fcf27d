"""Files of a dataset as they were found: those that are read and those that are not.

Which is which is decided in ``sources``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from clustering_platform.ingest.columns import Content, list_names, normalise
from clustering_platform.ingest.quarantine import Quarantine
from clustering_platform.ingest.records import Reader, Records

COUNTS = ("agrees", "disagrees")
"""Columns of item files that count votes."""
WHOLE = ("documents", "images")
"""What files hold that are one item each."""
SourceContent = Content | Literal["documents", "images", "vectors", "outcomes"]


@dataclass
class Source:
    """A file that is read.

    Attributes
    ----------
    name
        Its path within the dataset.
    columns
        Our column to the file's column.
    counts
        Columns of an item file that count votes: `agrees` and `disagrees` to the file's column.
    findings
        What was noticed, as sentences for people.
    read
        Number of rows read so far.
    """

    name: str
    reader: Reader
    content: SourceContent
    columns: dict[str, str]
    counts: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    read: int = 0

    @classmethod
    def of(cls, name: str, reader: Reader, content: SourceContent, columns: dict[str, str]) -> "Source":
        """Return a file of rows with what its form tells already."""
        counts = {key: column for column in reader.columns if (key := normalise(column)) in COUNTS}
        source = cls(name, reader, content, columns, counts if content == "items" else {})
        for note in reader.notes:
            source.note(note)
        unused = [column for column in reader.columns if column and column not in columns.values()]
        if content == "votes" and unused:
            source.note(f"columns that were not used: {list_names(unused)}")
        return source

    def note(self, finding: str) -> None:
        """Take down a finding."""
        self.findings.append(finding)

    def note_count(self, count: int, what: str) -> None:
        """Take down how many of something there are, if any."""
        if count:
            self.note(f"{what}: {count:,}")

    def records(self, quarantine: Quarantine) -> Iterator[Records]:
        """Yield the rows of the file; malformed ones go to `quarantine`."""
        without = frozenset(self.columns.values()) if self.content == "items" else None
        for records in self.reader.records([*self.columns.values(), *self.counts.values()], without=without):
            self.read += records.read
            quarantine.add_malformed(self.name, records.malformed)
            yield records


@dataclass(frozen=True)
class Unread:
    """A file that is not read.

    `why` goes on from "it", `details` says what would have to be there.
    """

    path: Path
    name: str
    why: str
    details: str = ""
