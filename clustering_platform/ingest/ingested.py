"""What ingest gives back: the tables of a dataset, and whether they are good enough to publish."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Ingested:
    """What was read from a dataset.

    The tables `items`, `item_vectors` (`vectors`), `votes`, `voters`, `outcomes`, `quarantine` and `ingest_report`
    (`report`).
    `about` is what a Polis export says of the conversation: `title` and `description`, where given.
    """

    items: pa.Table
    vectors: pa.Table
    votes: pa.Table
    voters: pa.Table
    outcomes: pa.Table
    quarantine: pa.Table
    report: pa.Table
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Rows read."""
        return self._total("read")

    @property
    def accepted(self) -> int:
        """Rows that count."""
        return self._total("accepted")

    @property
    def quarantined(self) -> int:
        """Rows refused."""
        return self._total("quarantined")

    @property
    def superseded(self) -> int:
        """Rows replaced by a later one."""
        return self._total("superseded")

    @property
    def quarantined_share(self) -> float:
        """Share of the rows read that were refused."""
        return self.quarantined / self.read if self.read else 0.0

    def refusal(self, max_quarantined: float) -> str | None:
        """Return why this is not good enough to publish and what to do, or None if it is.

        Parameters
        ----------
        max_quarantined
            Largest share of refused rows.
        """
        if self.quarantined_share <= max_quarantined:
            return None
        rows = self.quarantine.select(["file", "line", "reason", "message"]).to_pylist()
        first = {row["reason"]: row for row in reversed(rows)}
        reasons = [
            "{reason} ({count:,} rows, first {file}:{line}: {message})".format(count=count, **first[reason])
            for reason, count in Counter(row["reason"] for row in rows).most_common(_REASONS_SHOWN)
        ]
        return (
            f"{self.quarantined:,} of {self.read:,} rows were refused, {self.quarantined_share:.1%} where "
            f"{max_quarantined:.1%} may be; most often: {'; '.join(reasons)}. Correct the files, or raise "
            "ingest.max_quarantined in dataset.yaml"
        )

    def _total(self, column: str) -> int:
        return int(pc.sum(self.report[column]).as_py() or 0)
