"""Threads that do a part of the work on bytes that go by, in the order they were given, a few chunks behind at most."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

# What waits in a lane is memory. A lane that holds this much makes whoever gives wait.
MOST_BYTES = 4 * 1024 * 1024


class Lane:
    """One thread that gives each chunk to `work`, which must release the interpreter to be of any use (hashlib does).

    Raises from `give` and `close` what `work` has raised.
    """

    def __init__(self, work: Callable[[bytes], None]) -> None:
        self._work = work
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._is_closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="lane", daemon=True)
        self._thread.start()

    def give(self, chunk: bytes) -> None:
        """Queue a chunk; waits while too much is queued."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < MOST_BYTES or self._error is not None)
            self._complain()
            self._waiting.append(chunk)
            self._bytes += len(chunk)
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until everything that was given is done. May be called twice."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        self._complain()

    def _complain(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._is_closed)
                if not self._waiting:
                    return
                chunk = self._waiting[0]
            try:
                self._work(chunk)
            except BaseException as error:  # noqa: BLE001  whoever gives next is told
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            with self._changed:
                self._waiting.popleft()
                self._bytes -= len(chunk)
                self._changed.notify_all()
