"""Planted texts and an embedder that needs no model."""

import hashlib
import random

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FAMILIES = {
    "transit": "bus tram train route ticket station driver timetable",
    "housing": "rent flat landlord tenant mortgage apartment lease building",
    "parks": "tree garden lawn playground bench river wildlife pond",
    "schools": "teacher pupil classroom lesson homework exam textbook uniform",
    "health": "doctor nurse clinic hospital medicine patient surgery vaccine",
    "noise": "engine loud siren hammer night sleep decibel drill",
    "food": "market bakery farmer vegetable recipe kitchen cheese bread",
    "safety": "police patrol burglar lamp alley camera crime alarm",
}
FILLERS = ["city", "people", "council", "plan", "money", "summer", "public", "local", "street", "idea"]


class FakeEmbedder:
    """The vector of a text is the sum of the fixed random vectors of its words."""

    model = "fake@1"

    def __init__(self, dimension: int = 48) -> None:
        self.dimension = dimension
        self.batches: list[list[str]] = []

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        self.batches.append(texts)
        sums = np.array([sum(self._vector(word) for word in text.lower().split()) for text in texts])
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)

    def _vector(self, word: str) -> NDArray[np.float64]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
        return np.random.default_rng(seed).normal(size=self.dimension)


def planted_texts(count: int, *, families: int = 5, seed: int = 0) -> list[str]:
    """Return texts of a few words each, in turn of each family; most of their words are the family's own."""
    choice = random.Random(seed)
    names = list(FAMILIES)[:families]
    return [
        " ".join([*choice.sample(FAMILIES[names[row % families]].split(), 4), choice.choice(FILLERS)])
        for row in range(count)
    ]


def items_of(texts: list[str | None]) -> pa.Table:
    """Return the columns of the `items` table that semantics reads."""
    return pa.table(
        {"item_id": pa.array([f"i{row}" for row in range(len(texts))]), "text": pa.array(texts, pa.string())}
    )
