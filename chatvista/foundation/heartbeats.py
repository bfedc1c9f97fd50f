"""Renewing a lease while something long goes on: from a thread of its own, or by whoever moves the bytes."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import Error as DatabaseProblem
from django.db import InterfaceError, OperationalError, connection

from chatvista.foundation.leases import LeaseLostError

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


class Pulse(ABC):
    """A lease that is renewed by being called, at most every so many seconds: the pulse of long transfers.

    Calling it raises LeaseLostError when somebody else has taken the row over.
    """

    def __init__(self, *, every: float, name: str) -> None:
        self._every, self._name = every, name
        self._renewed = time.monotonic()

    @abstractmethod
    def renew(self) -> bool:
        """Keep the lease for another while; False when it is lost."""

    def __call__(self) -> None:
        """Renew, if it is time to."""
        if time.monotonic() - self._renewed < self._every:
            return
        self._renewed = time.monotonic()
        try:
            kept = self.renew()
        except (OperationalError, InterfaceError):
            # The database is away for a moment; whether we still hold the lease is asked again when it counts.
            logger.warning("lease_not_renewed", lease=self._name)
            connection.close()
            return
        if not kept:
            raise LeaseLostError(f"{self._name} is no longer ours")
