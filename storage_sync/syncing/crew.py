"""Threads that do what is queued, and hand back what became of it. They end with the process, whatever hangs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import connection

T = TypeVar("T")
R = TypeVar("R")


class Crew(Generic[T, R]):
    """So many threads that call `work` with each item given, in that order. `work` must not raise."""

    def __init__(self, work: Callable[[T], R], *, size: int) -> None:
        self._work = work
        self._items: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[R] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"sync-{number}", daemon=True) for number in range(size)
        ]
        self.under_way = 0
        for thread in self._threads:
            thread.start()

    def give(self, item: T) -> None:
        """Queue one item."""
        self.under_way += 1
        self._items.put(item)

    def take(self, *, within: float) -> list[R]:
        """What is done by now; waits that long for the first."""
        done: list[R] = []
        try:
            done.append(self._done.get(timeout=within))
            while True:
                done.append(self._done.get_nowait())
        except queue.Empty:
            pass
        self.under_way -= len(done)
        return done

    def dismiss(self) -> None:
        """No more items: the threads end after what they have."""
        for _ in self._threads:
            self._items.put(None)

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            try:
                self._done.put(self._work(item))
            finally:
                # Back to the pool: it holds fewer connections than there are threads.
                connection.close()
