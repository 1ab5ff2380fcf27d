"""Times: from text to microseconds since 1970 (UTC), with one unit for all numbers of a file.

What becomes of rows without a usable time is decided in ``votes`` and ``items``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Unit = Literal["s", "ms", "us", "ns"]

MISSING, NUMBER, ZONED, NAIVE, UNREADABLE = range(5)
"""Kinds of text in a column of times."""

PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNITS: tuple[Unit, ...] = tuple(PER_SECOND)
EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since 1970; earlier times are taken for mistakes."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future a time may lie."""

_SMALLEST_MAGNITUDE = 10**8
_MAGNITUDE_STEP = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_SPACE = re.compile(r" (?=[Z+-])")
_NUMBER = r"^[+-]?([0-9]{1,18}|[1-8][0-9]{18})(\.[0-9]*)?$"
_DATE_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_ZONED = _DATE_TIME + r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$"
_NAIVE = f"({_DATE_TIME}|^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})$"


@dataclass(frozen=True)
class Times:
    """A column of times as read, before the unit of its numbers is known.

    Attributes
    ----------
    kind : int8[rows]
        `MISSING`, `NUMBER`, `ZONED`, `NAIVE` (ISO 8601 with and without a zone) or `UNREADABLE`.
    value : int64[rows]
        The whole part of a number, or microseconds since 1970.
    fraction : float64[rows]
        The fraction of a number.
    """

    kind: NDArray[np.int8]
    value: NDArray[np.int64]
    fraction: NDArray[np.float64]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return times one after the other."""
        empty = cls(np.zeros(0, np.int8), np.zeros(0, np.int64), np.zeros(0))
        every = (empty, *parts)
        return cls(
            np.concatenate([part.kind for part in every]),
            np.concatenate([part.value for part in every]),
            np.concatenate([part.fraction for part in every]),
        )

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """Return the times of some rows (bool[rows])."""
        return type(self)(self.kind[rows], self.value[rows], self.fraction[rows])

    def text(self) -> pa.Array:
        """Return the times as text, numbers without their fraction: StringArray[rows]."""
        numbers = pc.cast(pa.array(self.value), pa.string())
        dates = pc.cast(pa.array(self.value, pa.timestamp("us")), pa.string())
        return pc.if_else(pa.array(self.kind == NUMBER), numbers, dates)


@dataclass(frozen=True)
class ResolvedTimes:
    """A column of times, understood.

    Attributes
    ----------
    unit
        Unit in which its numbers were read; None without numbers.
    microseconds : int64[rows]
        Since 1970; meaningless where there is a fault.
    faults : dict of bool[rows]
        Reason to the rows it applies to; a row has at most one.
    """

    unit: Unit | None
    microseconds: NDArray[np.int64]
    faults: dict[str, NDArray[np.bool_]]

    @property
    def is_good(self) -> NDArray[np.bool_]:
        """Rows without a fault: bool[rows]."""
        bad = np.zeros(len(self.microseconds), bool)
        for rows in self.faults.values():
            bad |= rows
        return ~bad


def read_times(column: pa.Array) -> Times:
    """Read a column of text (StringArray[rows]) as times."""
    text = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
    kind = np.full(len(text), UNREADABLE, np.int8)
    for pattern, which in ((_NAIVE, NAIVE), (_ZONED, ZONED), (_NUMBER, NUMBER), (r"^$", MISSING)):
        kind[np.asarray(pc.match_substring_regex(text, pattern))] = which
    value, fraction = np.zeros(len(text), np.int64), np.zeros(len(text))
    numbers = kind == NUMBER
    if numbers.any():
        value[numbers], fraction[numbers] = _numbers(text.filter(pa.array(numbers)))
    for which in (ZONED, NAIVE):
        rows = kind == which
        if rows.any():
            value[rows], is_date = _iso(text.filter(pa.array(rows)), is_zoned=which == ZONED)
            kind[np.flatnonzero(rows)[~is_date]] = UNREADABLE
    return Times(kind, value, fraction)


def resolve(times: Times, *, unit: Unit | Literal["auto"], now: datetime) -> ResolvedTimes:
    """Find the unit of the numbers and turn everything into microseconds.

    With ``auto`` every number speaks, by its magnitude, for the one unit in which it is a time of our days; the unit
    of most numbers holds for all, and numbers of another magnitude are at fault.
    """
    is_number = times.kind == NUMBER
    magnitude = _magnitude(times.value)
    found, is_other_unit = unit, np.zeros(len(is_number), bool)
    if found == "auto":
        position = int(np.bincount(magnitude[is_number] + 1, minlength=len(UNITS) + 1)[1:].argmax())
        found, is_other_unit = UNITS[position], is_number & (magnitude >= 0) & (magnitude != position)
    first, last = EARLIEST, int((now + CLOCK_SKEW).timestamp())
    per_second = np.where(is_number, PER_SECOND[found], PER_SECOND["us"])
    is_time = is_number | (times.kind == ZONED) | (times.kind == NAIVE)
    is_early = is_time & ~is_other_unit & (times.value < first * per_second)
    is_late = is_time & ~is_other_unit & (times.value > last * per_second)
    is_good_number = is_number & ~is_other_unit & ~is_early & ~is_late
    return ResolvedTimes(
        found if is_number.any() else None,
        np.where(is_number, _to_microseconds(times, is_good_number, found), times.value),
        {
            "timestamp_missing": times.kind == MISSING,
            "timestamp_unreadable": times.kind == UNREADABLE,
            "timestamp_unit": is_other_unit,
            "timestamp_implausible": is_early,
            "timestamp_future": is_late,
        },
    )


def _magnitude(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the unit a number looks like, -1 for numbers too small for any: int64[rows]."""
    bounds = np.array([_SMALLEST_MAGNITUDE * _MAGNITUDE_STEP**step for step in range(len(UNITS))], np.int64)
    places: NDArray[np.int64] = np.searchsorted(bounds, value, side="right").astype(np.int64) - 1
    return places


def _to_microseconds(times: Times, rows: NDArray[np.bool_], unit: Unit) -> NDArray[np.int64]:
    value: NDArray[np.int64] = np.where(rows, times.value, 0)
    if unit == "ns":
        return value // 1000
    factor = 10**6 // PER_SECOND[unit]
    fraction: NDArray[np.int64] = np.rint(np.where(rows, times.fraction, 0) * factor).astype(np.int64)
    return value * factor + fraction


def _numbers(text: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    text = pc.utf8_ltrim(text, characters="+")
    if not pc.any(pc.match_substring(text, ".")).as_py():
        return np.asarray(pc.cast(text, pa.int64())), np.zeros(len(text))
    parts = pc.extract_regex(text, r"^(?P<whole>-?[0-9]+)\.?(?P<fraction>[0-9]*)$")
    fraction = pc.cast(pc.binary_join_element_wise("0.", parts.field("fraction"), "0", ""), pa.float64())
    return np.asarray(pc.cast(parts.field("whole"), pa.int64())), np.asarray(fraction)


def _iso(text: pa.Array, *, is_zoned: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return microseconds since 1970 and which texts are dates at all (not the 30th of February)."""
    kind = pa.timestamp("us", "UTC") if is_zoned else pa.timestamp("us")
    try:
        return np.asarray(pc.cast(pc.cast(text, kind), pa.int64())), np.ones(len(text), bool)
    except pa.ArrowInvalid:
        values = [_microseconds(value) for value in text.to_pylist()]
    return np.array([value or 0 for value in values], np.int64), np.array([value is not None for value in values])


def _microseconds(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(_ZONE_SPACE.sub("", text.replace("UTC", "Z")))
        zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
        return (zoned - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
