"""Processes that tests may kill. They are forked from a server that has used no library yet, so each starts clean."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["duckdb", "pytest", "clustering_platform_tests.store.versions"])


def start(function: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """Start ``function(pipe, *arguments)`` in a process of its own; return it and our end of the pipe."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=function, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def messages(pipe: Connection) -> list[Any]:
    """Return all that a process said before it ended."""
    said = []
    while True:
        try:
            said.append(pipe.recv())
        except EOFError:
            return said


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a process of its own; it must not fail."""
    process, pipe = start(_answer, function, arguments)
    said = messages(pipe)
    process.join()
    assert process.exitcode == 0
    return said[0]


def _answer(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(function(*arguments))
