"""Work done side by side, with results as they come."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Generic, TypeVar

Task = TypeVar("Task")
Node = TypeVar("Node", bound=Hashable)
Result = TypeVar("Result")


class Workers(Generic[Task, Result]):
    """Does tasks in threads, so many at once, and yields what comes of them in the order in which it comes.

    The threads do not keep the process alive: who is interrupted does not wait for a service to answer.
    """

    def __init__(self, work: Callable[[Task], Result], *, threads: int) -> None:
        self._work = work
        self._threads = threads
        self._told: queue.SimpleQueue[tuple[bool, Result | Exception]] = queue.SimpleQueue()

    def tell(self, result: Result) -> None:
        """Have something yielded at once, while a task is still being done; for use from `work`."""
        self._told.put((False, result))

    def results(self, tasks: deque[Task]) -> Iterator[Result]:
        """Yield a result for every task, and whatever is told on the way.

        The tasks are taken from `tasks` when there is a free thread for them; between two results more may be put
        there, and those that stand there may be removed. An error raised by `work` is raised here.
        """
        running = 0
        while tasks or running:
            while tasks and running < self._threads:
                threading.Thread(target=self._do, args=(tasks.popleft(),), daemon=True).start()
                running += 1
            is_last, result = self._told.get()
            running -= is_last
            if isinstance(result, Exception):
                raise result
            yield result

    def _do(self, task: Task) -> None:
        try:
            result: Result | Exception = self._work(task)
        except Exception as error:
            result = error
        self._told.put((True, result))


def in_order(
    before: Mapping[Node, Iterable[Node]], work: Callable[[Node], Result], *, threads: int
) -> Iterator[tuple[Node, Result]]:
    """Yield every node with what `work` makes of it; a node is begun when those `before` it were yielded."""
    sorter = TopologicalSorter(before)
    sorter.prepare()
    ready = deque(sorter.get_ready())
    workers: Workers[Node, tuple[Node, Result]] = Workers(lambda node: (node, work(node)), threads=threads)
    for node, result in workers.results(ready):
        yield node, result
        sorter.done(node)
        ready.extend(sorter.get_ready())
