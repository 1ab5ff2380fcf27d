"""Answers of a service, read without trust."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.calls.errors import MalformedAnswerError
from clustering_platform.semantics.embedders.answers import read_answer, read_vectors, sound, tokens_billed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["index", "embedding", "x"]), inner),
    max_leaves=8,
)


def entry(index: Any, embedding: Any) -> dict[str, Any]:
    return {"index": index, "embedding": embedding}


def test_lists_and_base64_say_the_same() -> None:
    coded = base64.b64encode(np.array([3, 4], dtype="<f4").tobytes()).decode()
    vectors = read_vectors({"data": [entry(1, [3.0, 4.0]), entry(0, coded)]}, 2)
    assert [vector.tolist() for vector in vectors] == [[3, 4], [3, 4]]
    good, fault = sound(vectors, ["a", "b"], None)
    np.testing.assert_allclose([good[0], good[1]], [[0.6, 0.8]] * 2, atol=1e-7)
    assert fault is None


@pytest.mark.parametrize(
    "data",
    [
        *[None, {}, [], [1, 2], [entry(0, [1.0])], [entry(0, [1.0])] * 2],
        *[[entry(0, [1.0]), entry(other, [1.0])] for other in (2, -1, True, "1", 1.0, None)],
    ],
)
def test_anything_but_one_entry_for_each_index_is_malformed(data: object) -> None:
    with pytest.raises(MalformedAnswerError):
        read_vectors({"data": data}, 2)


@given(st.lists(JSON, max_size=3))
def test_whatever_comes_is_read_or_malformed(entries: list[Any]) -> None:
    content = read_answer(json.dumps({"data": [entry(row, value) for row, value in enumerate(entries)]}).encode())
    vectors = read_vectors(content, len(entries))
    good, fault = sound(vectors, [str(row) for row in range(len(entries))], None)
    assert (fault is None) == (len(good) == len(entries))
    assert all(np.isclose(np.linalg.norm(vector), 1, atol=1e-5) for vector in good.values())


@given(JSON)
def test_what_is_billed_is_a_number_or_unknown(usage: Any) -> None:
    for content in ({"usage": usage}, {"usage": {"total_tokens": usage}}, {}):
        tokens = tokens_billed(content)
        assert tokens is None or (type(tokens) is int and tokens >= 0)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff", b'"text"'])
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedAnswerError, match="is not"):
        read_answer(body)
