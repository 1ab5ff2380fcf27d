"""How long vectors stay in the cache, what goes first, and what becomes of a cache made by an earlier version."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clustering_platform.semantics.embedding_cache import CacheLimits, EmbeddingCache, Pruned
from clustering_platform.semantics.item_embeddings import embed_texts
from clustering_platform_tests.semantics.fakes import FakeEmbedder, planted_texts

START = date(2026, 1, 1)
WEEK = CacheLimits(partial_days=7)
VERSION_1 = """
CREATE TABLE vectors (
    model TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    vector BLOB NOT NULL CHECK (length(vector) = 4 * dimension),
    created_at TEXT NOT NULL,
    PRIMARY KEY (model, content_hash)
)
"""


class Clock:
    """A day that tests turn forward."""

    def __init__(self) -> None:
        self.today = START

    def __call__(self) -> date:
        return self.today

    def forward(self, days: int) -> None:
        self.today += timedelta(days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dated(tmp_path: Path, clock: Clock) -> Callable[..., EmbeddingCache]:
    """Open the cache of a folder with limits of its own, on the day of the clock."""
    return lambda limits=None: EmbeddingCache(tmp_path / "cache", limits=limits, today=clock)


def vectors(prefix: str, count: int, dimension: int = 384) -> dict[str, NDArray[np.float32]]:
    rows = np.random.default_rng(len(prefix)).normal(size=(count, dimension)).astype(np.float32)
    return {f"{prefix}{place}": row for place, row in enumerate(rows)}


def finished(cache: EmbeddingCache, prefix: str, count: int = 10, model: str = "m") -> list[str]:
    """Store vectors and settle them; return their keys."""
    made = vectors(prefix, count)
    cache.put_many(model, made)
    cache.settle(model, made)
    return list(made)


def held(cache: EmbeddingCache, keys: list[str], model: str = "m") -> int:
    return len(cache.get_many(model, keys))


def query(cache: EmbeddingCache, question: str) -> int:
    with contextlib.closing(sqlite3.connect(cache.file)) as connection:
        return int(connection.execute(question).fetchone()[0])


def test_vectors_are_partial_until_their_step_has_ended(dated: Callable[..., EmbeddingCache]) -> None:
    cache = dated()
    made = vectors("a", 5)
    cache.put_many("m", made)
    assert [(one.vectors, one.partial) for one in cache.contents()] == [(5, 5)]
    cache.settle("m", list(made)[:3])
    assert [(one.vectors, one.partial) for one in cache.contents()] == [(5, 2)]


@pytest.mark.parametrize(("days", "left"), [(6, 10), (7, 0), (30, 0)])
def test_partial_vectors_go_after_their_days_and_others_stay(
    dated: Callable[..., EmbeddingCache], clock: Clock, days: int, left: int
) -> None:
    cache = dated()
    whole = finished(cache, "whole")
    partial = vectors("partial", 10)
    cache.put_many("m", partial)
    clock.forward(days)
    assert cache.prune(WEEK).vectors == 10 - left
    assert (held(cache, list(partial)), held(cache, whole)) == (left, 10)


def test_what_a_finished_step_uses_is_no_longer_partial_whoever_stored_it(
    dated: Callable[..., EmbeddingCache], clock: Clock
) -> None:
    cache = dated()
    made = vectors("a", 4)
    cache.put_many("m", made)
    clock.forward(3)
    cache.settle("m", made)
    clock.forward(30)
    assert cache.prune(WEEK) == Pruned()
    assert held(cache, list(made)) == 4


def test_a_vector_stored_again_by_a_step_that_fails_does_not_become_partial(
    dated: Callable[..., EmbeddingCache], clock: Clock
) -> None:
    cache = dated()
    keys = finished(cache, "a")
    cache.put_many("m", vectors("a", 12))
    assert [(one.vectors, one.partial) for one in cache.contents()] == [(12, 2)]
    clock.forward(8)
    cache.prune(WEEK)
    assert held(cache, keys) == 10


def test_age_counts_from_the_last_use_by_a_step(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    cache = dated()
    used, unused = finished(cache, "used"), finished(cache, "unused")
    clock.forward(20)
    cache.settle("m", used)
    clock.forward(20)
    assert cache.prune(CacheLimits(max_age_days=30)).vectors == 10
    assert (held(cache, used), held(cache, unused)) == (10, 0)


def test_use_is_written_once_a_day(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    cache = dated()
    keys = finished(cache, "a", 2000)
    with contextlib.closing(sqlite3.connect(cache.file)) as connection:
        version = connection.execute("PRAGMA data_version").fetchone()
        cache.settle("m", keys)
        cache.get_many("m", keys)
        assert connection.execute("PRAGMA data_version").fetchone() == version
        clock.forward(1)
        cache.settle("m", keys)
        assert connection.execute("PRAGMA data_version").fetchone() != version
    assert cache.contents()[0].last_used == clock.today


def test_where_the_file_is_too_large_the_least_recently_used_go_first(
    dated: Callable[..., EmbeddingCache], clock: Clock
) -> None:
    cache = dated()
    sets = [finished(cache, f"day{day}-", 200) for day in range(5) if not clock.forward(1)]
    clock.forward(1)
    cache.settle("m", sets[0])
    size = cache.file.stat().st_size
    pruned = cache.prune(CacheLimits(max_bytes=size // 2))
    left = [held(cache, keys) for keys in sets]
    assert left[0] == left[4] == 200
    assert left[1] == 0
    assert sum(left) == 1000 - pruned.vectors
    assert cache.file.stat().st_size <= size // 2
    assert cache.file.stat().st_size > size // 3
    assert pruned.bytes == size - cache.file.stat().st_size


def test_the_file_becomes_smaller_on_disk(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    cache = dated()
    finished(cache, "old", 3000)
    clock.forward(10)
    kept = finished(cache, "new", 300)
    before = cache.file.stat().st_size
    cache.prune(CacheLimits(max_age_days=5))
    assert cache.file.stat().st_size < before / 8
    assert query(cache, "PRAGMA freelist_count") == 0
    assert held(cache, kept) == 300
    assert query(cache, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") == 0


def test_a_dry_run_says_what_would_go_and_removes_nothing(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    cache = dated()
    keys = finished(cache, "a", 500)
    clock.forward(10)
    limits = CacheLimits(max_age_days=5)
    told = cache.prune(limits, dry_run=True)
    assert told.vectors == held(cache, keys) == 500
    assert cache.prune(limits) == told
    assert held(cache, keys) == 0


def test_only_the_vectors_of_a_model_may_go_where_one_is_named(
    dated: Callable[..., EmbeddingCache], clock: Clock
) -> None:
    cache = dated()
    one, two = finished(cache, "a", 50, "one"), finished(cache, "a", 50, "two")
    for limits in (CacheLimits(max_age_days=0), CacheLimits(max_bytes=0)):
        assert cache.prune(limits, model="three") == Pruned()
        cache.prune(limits, model="two")
        assert (held(cache, one, "one"), held(cache, two, "two")) == (50, 0)
        two = finished(cache, "a", 50, "two")


def test_everything_goes_where_nothing_may_stay(dated: Callable[..., EmbeddingCache]) -> None:
    cache = dated()
    keys = finished(cache, "a", 500)
    assert cache.prune(CacheLimits(max_bytes=0)).vectors == 500
    assert cache.contents() == []
    assert finished(cache, "a", 500) == keys


@hypothesis_settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6), share=st.floats(0.3, 1.2), settled=st.booleans())
def test_a_limit_of_size_is_kept_and_what_goes_was_used_before_what_stays(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], share: float, settled: bool
) -> None:
    clock = Clock()
    cache = EmbeddingCache(tmp_path_factory.mktemp("cache"), today=clock)
    sets = []
    for day, count in enumerate(sizes):
        clock.forward(1)
        made = vectors(f"{day}-", count, 1 + 100 * (day % 3))
        cache.put_many("m", made)
        if settled:
            cache.settle("m", made)
        sets.append(list(made))
    limit = max(int(cache.file.stat().st_size * share), 80_000)
    cache.prune(CacheLimits(max_bytes=limit))
    left = [held(cache, keys) for keys in sets]
    assert cache.file.stat().st_size <= limit
    partly = [place for place, keys in enumerate(sets) if 0 < left[place] < len(keys)]
    first = next((place for place, count in enumerate(left) if count), len(left))
    assert partly in ([], [first])
    assert all(count == len(keys) for count, keys in zip(left[first + 1 :], sets[first + 1 :], strict=True))


def test_a_step_that_ends_prunes_what_is_past_the_limits(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    limits = CacheLimits(max_bytes=600_000, max_age_days=30, partial_days=7)
    old = finished(dated(limits), "old", 300)
    dated(limits).put_many("m", vectors("partial", 20))
    clock.forward(7)
    new = finished(dated(limits), "new", 300)
    cache = dated(limits)
    assert held(cache, list(vectors("partial", 20))) == 0
    assert held(cache, old) < 300
    assert held(cache, new) == 300


def test_a_run_that_needs_more_than_may_stay_keeps_it_for_the_day(
    dated: Callable[..., EmbeddingCache], clock: Clock
) -> None:
    cache = dated(CacheLimits(max_bytes=100_000))
    keys = finished(cache, "a", 300)
    assert held(cache, keys) == 300
    clock.forward(1)
    finished(cache, "b", 1)
    assert held(cache, keys) < 100


def test_ages_are_looked_at_once_a_day(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    cache = dated(WEEK)
    finished(cache, "a")
    assert query(cache, "SELECT max(day) FROM pruned") == (clock.today - date(1970, 1, 1)).days
    cache.put_many("m", vectors("partial", 3))
    clock.forward(9)
    assert finished(cache, "b")
    assert [one.partial for one in cache.contents()] == [0]


def test_embedding_marks_all_that_it_used_when_it_ends(dated: Callable[..., EmbeddingCache]) -> None:
    class Failing(FakeEmbedder):
        def embed(self, texts: list[str]) -> NDArray[np.float32]:
            if len(self.batches) == 2:
                raise ConnectionError("gone")
            return super().embed(texts)

    cache, texts = dated(), list(dict.fromkeys(planted_texts(30)))
    with pytest.raises(ConnectionError):
        embed_texts(texts, Failing(), cache, batch_size=5)
    assert [(one.vectors, one.partial) for one in cache.contents()] == [(10, 10)]
    embed_texts(texts, FakeEmbedder(), cache, batch_size=5)
    assert [(one.vectors, one.partial) for one in cache.contents()] == [(len(texts), 0)]


def test_a_step_whose_vectors_were_pruned_meanwhile_still_has_them(dated: Callable[..., EmbeddingCache]) -> None:
    class Emptied(EmbeddingCache):
        def put_many(self, model: str, vectors: object) -> None:
            """Store nothing, as if another process had removed it at once."""

    texts = ["a bus", "a tram"]
    assert embed_texts(texts, FakeEmbedder(), Emptied(dated().file.parent), batch_size=1).keys() == set(texts)


def test_contents_are_told_by_model(dated: Callable[..., EmbeddingCache], clock: Clock) -> None:
    cache = dated()
    assert cache.contents() == []
    assert not cache.file.exists()
    keys = finished(cache, "a", 3, "one")
    clock.forward(2)
    cache.put_many("one", vectors("b", 2, dimension=8))
    cache.settle("one", keys[:1])
    finished(cache, "a", 1, "two")
    one, two = cache.contents()
    assert (one.model, one.vectors, one.bytes, one.partial) == ("one", 5, 3 * 4 * 384 + 2 * 4 * 8, 2)
    assert (one.oldest, one.newest, one.last_used) == (START, clock.today, clock.today)
    assert (two.model, two.vectors, two.oldest) == ("two", 1, clock.today)


def version_1(folder: Path, rows: int = 400) -> dict[str, NDArray[np.float32]]:
    """Write a cache as the first version did."""
    folder.mkdir()
    made = vectors("v", rows)
    with contextlib.closing(sqlite3.connect(folder / "embeddings.sqlite")) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(VERSION_1)
        stamp = datetime(2026, 1, 5, 13, tzinfo=UTC).isoformat(timespec="seconds")
        connection.executemany(
            "INSERT INTO vectors VALUES (?, ?, ?, ?, ?)",
            [(f"m{place % 2}", key, 384, row.tobytes(), stamp) for place, (key, row) in enumerate(made.items())],
        )
    return made


def test_a_cache_of_the_first_version_is_taken_over_whole(tmp_path: Path) -> None:
    made = version_1(tmp_path / "cache")
    cache = EmbeddingCache(tmp_path / "cache")
    for model, keys in (("m0", list(made)[::2]), ("m1", list(made)[1::2])):
        found = cache.get_many(model, list(made))
        assert sorted(found) == sorted(keys)
        assert all(found[key].tobytes() == made[key].tobytes() for key in keys)
    for one in cache.contents():
        assert (one.vectors, one.partial, one.oldest) == (200, 0, date(2026, 1, 5))
        assert one.last_used == datetime.now(UTC).date()
    assert query(cache, "PRAGMA auto_vacuum") == 2
    assert query(cache, "PRAGMA freelist_count") == 0
    cache.put_many("m0", vectors("w", 10))
    assert cache.prune(CacheLimits(max_bytes=0)).vectors == 410
    assert cache.file.stat().st_size < 100_000


def test_processes_that_take_a_cache_over_at_once_lose_nothing(tmp_path: Path) -> None:
    made = version_1(tmp_path / "cache", 3000)
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from clustering_platform.semantics.embedding_cache import EmbeddingCache\n"
        "cache = EmbeddingCache(Path(sys.argv[1]))\n"
        "print(len(cache.get_many('m0', [f'v{row}' for row in range(3000)])))\n"
        "cache.put_many('m0', {sys.argv[2]: np.ones(4, dtype=np.float32)})\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    started = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in "abc"]
    assert [process.communicate(timeout=120)[0].strip() for process in started] == ["1500"] * 3
    cache = EmbeddingCache(tmp_path / "cache")
    assert held(cache, ["a", "b", "c"], "m0") == 3
    assert sum(one.vectors for one in cache.contents()) == len(made) + 3


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15])
def test_a_process_killed_while_it_takes_over_or_prunes_leaves_a_sound_cache(tmp_path: Path, seconds: float) -> None:
    made = version_1(tmp_path / "cache", 6000)
    code = (
        "import sys; from pathlib import Path\n"
        "from clustering_platform.semantics.embedding_cache import CacheLimits, EmbeddingCache\n"
        "print('go', flush=True)\n"
        "EmbeddingCache(Path(sys.argv[1])).prune(CacheLimits(max_bytes=6_000_000))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        os.kill(process.pid, signal.SIGKILL)
    cache = EmbeddingCache(tmp_path / "cache")
    counts = [held(cache, list(made), model) for model in ("m0", "m1")]
    assert sum(one.vectors for one in cache.contents()) == sum(counts)
    assert sum(counts) == len(made) or 3000 < sum(counts) < 4000
    assert query(cache, "SELECT count(*) FROM vectors") == sum(counts)
    assert query(cache, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") == 0
    cache.prune(CacheLimits(max_bytes=6_000_000))
    assert cache.file.stat().st_size <= 6_000_000


def test_a_file_of_a_newer_version_is_left_alone(dated: Callable[..., EmbeddingCache]) -> None:
    cache = dated()
    finished(cache, "a")
    with contextlib.closing(sqlite3.connect(cache.file)) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(OSError, match="newer version"):
        cache.get_many("m", ["a0"])
