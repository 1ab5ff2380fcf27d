"""Work side by side."""

import threading
from collections import deque

import pytest

from clustering_platform.calls.workers import Workers


def test_every_task_has_its_result() -> None:
    assert sorted(Workers(lambda task: task * 2, threads=3).results(deque(range(50)))) == list(range(0, 100, 2))


def test_no_task_is_begun_before_there_is_a_thread_for_it() -> None:
    tasks = deque(range(10))
    results = Workers(lambda task: task, threads=2).results(tasks)
    next(results)
    assert len(tasks) == 8
    tasks.clear()
    assert len(list(results)) == 1


def test_tasks_may_be_added_between_results() -> None:
    tasks = deque([8])
    seen = []
    for result in Workers(lambda task: task, threads=2).results(tasks):
        seen.append(result)
        if result > 1:
            tasks.extend([result // 2, result // 2])
    assert sorted(seen) == [1] * 8 + [2] * 4 + [4] * 2 + [8]


def test_what_a_task_tells_is_there_before_it_is_done() -> None:
    go_on = threading.Event()

    def work(task: str) -> str:
        workers.tell("begun")
        go_on.wait(timeout=20)
        return task

    workers: Workers[str, str] = Workers(work, threads=1)
    results = workers.results(deque(["done"]))
    assert next(results) == "begun"
    go_on.set()
    assert list(results) == ["done"]


def test_an_error_of_the_work_is_raised_to_who_waits() -> None:
    def work(task: int) -> int:
        raise KeyError(task)

    with pytest.raises(KeyError):
        list(Workers(work, threads=2).results(deque([1])))
