"""Renewing a lease from a thread of its own while something long goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import Error as DatabaseProblem
from django.db import connection

logger = structlog.get_logger(__name__)


@contextmanager
def beating(renew: Callable[[], bool], *, every: float, name: str) -> Iterator[threading.Event]:
    """Call `renew` every so many seconds until the body ends; gives an event that is set once it says False.

    A database that is away is tried again at the next beat; if it stays away the lease runs out, as it should.
    """
    stop, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not stop.wait(every):
            try:
                if not renew():
                    lost.set()
                    return
            except DatabaseProblem as error:
                logger.warning("heartbeat_failed", lease=name, error=str(error))
            finally:
                # Back to the pool: the thread would keep a connection that it uses once in a while.
                connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{name}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        stop.set()
        thread.join()
