"""Answers of ``/v1/embeddings``: read and checked, as anything may come from a service.

What is wrong with an answer is told by `MalformedAnswerError`, which means that another try may help.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.calls.errors import MalformedAnswerError

Vector = NDArray[np.float32]


def read_answer(body: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    try:
        content = json.loads(body)
    except ValueError:
        raise MalformedAnswerError("is not JSON") from None
    if not isinstance(content, dict):
        raise MalformedAnswerError("is not a JSON object")
    return content


def tokens_billed(content: dict[str, Any]) -> int | None:
    """Return the tokens that the answer says were billed; None where it does not say."""
    usage = content.get("usage")
    tokens = usage.get("total_tokens", usage.get("prompt_tokens")) if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else None


def read_vectors(content: dict[str, Any], count: int) -> list[Vector]:
    """Return the vectors of an answer in the order of what was asked, not of length one yet.

    Raises
    ------
    MalformedAnswerError
        There is not one entry for each index from 0 to count - 1.
    """
    data = content.get("data")
    if not isinstance(data, list):
        raise MalformedAnswerError("has no list `data`")
    if len(data) != count:
        raise MalformedAnswerError(f"{len(data)} vectors for {count} texts")
    entries = [entry if isinstance(entry, dict) else {} for entry in data]
    indexes = [entry.get("index") for entry in entries]
    places = {index: place for place, index in enumerate(indexes) if type(index) is int}
    if set(places) != set(range(count)):
        raise MalformedAnswerError(f"its indexes are not those from 0 to {count - 1}")
    return [_vector(entries[places[index]].get("embedding")) for index in range(count)]


def sound(
    vectors: Sequence[Vector], labels: Sequence[str], dimension: int | None
) -> tuple[dict[int, Vector], MalformedAnswerError | None]:
    """Return the vectors that can be used, by place and with length one, and what is wrong with the first other.

    Without a `dimension` all vectors of the answer must agree on one, else none can be used.
    """
    dimensions = {len(vector) for vector in vectors}
    if dimension is None and len(dimensions - {0}) > 1:
        return {}, MalformedAnswerError(f"vectors of different dimensions {sorted(dimensions)}")
    good: dict[int, Vector] = {}
    fault = None
    for place, vector in enumerate(vectors):
        length = float(np.linalg.norm(vector.astype(np.float64)))
        reason = _reason(len(vector), length, dimension)
        if reason:
            fault = fault or MalformedAnswerError(f"the vector of {labels[place]} {reason}")
        else:
            good[place] = (vector / length).astype(np.float32)
    return good, fault


def _reason(found: int, length: float, dimension: int | None) -> str | None:
    """Return what is wrong with a vector, by its dimension and length; None if nothing."""
    if found == 0:
        return "is no list of numbers"
    if dimension is not None and found != dimension:
        return f"has dimension {found}, expected {dimension}"
    if not np.isfinite(length):
        return "is not finite"
    return "is zero" if length == 0 else None


def _vector(value: object) -> Vector:
    """Return an embedding as an array; an empty one for what is neither numbers nor base64 of 32-bit floats."""
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
        numbers = value if isinstance(value, list) else []
        array = np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return np.empty(0, dtype=np.float32)
    with np.errstate(over="ignore"):
        return array.astype(np.float32) if array.ndim == 1 else np.empty(0, dtype=np.float32)
