"""Whether both sides answer, told within a second and a half whatever hangs, and true again as soon as they do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import lru_cache

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from storage_sync.sides.connecting import Space, configured_space, new_client
from storage_sync.sides.local import local

logger = structlog.get_logger(__name__)

DEADLINE_SECONDS = 1.3
REMEMBERED_SECONDS = 2.0


class Probe:
    """Asks one question in a thread with a deadline; at most one thread is stuck at a time.

    The answer is kept for two seconds, so that a busy health check costs its target next to nothing.
    """

    def __init__(self, question: Callable[[], bool]) -> None:
        self._question = question
        self._guard = threading.Lock()
        self._asking: threading.Event | None = None
        self._answer, self._answered_at = False, -REMEMBERED_SECONDS

    def ask(self) -> bool:
        """The answer; False when there is none in time."""
        with self._guard:
            if time.monotonic() - self._answered_at < REMEMBERED_SECONDS:
                return self._answer
            if self._asking is None:
                self._asking = threading.Event()
                threading.Thread(target=self._run, args=(self._asking,), name="probe", daemon=True).start()
            asking = self._asking
        if not asking.wait(DEADLINE_SECONDS):
            return False
        return self._answer

    def _run(self, asking: threading.Event) -> None:
        answer = False
        try:
            answer = self._question()
        except (OSError, BotoCoreError, ClientError) as error:
            logger.warning("probe_failed", error=f"{type(error).__name__}: {error}"[:300])
        finally:
            with self._guard:
                self._answer, self._answered_at, self._asking = answer, time.monotonic(), None
            asking.set()


def local_state() -> str:
    """`available`, or `unavailable` when nothing can be written to the local tree."""
    return "available" if _local_probe().ask() else "unavailable"


def cloud_state() -> str:
    """`connected`, `disconnected`, or `not_configured` where there is no Space."""
    space = configured_space()
    if space is None:
        return "not_configured"
    return "connected" if _cloud_probe(space).ask() else "disconnected"


def _can_write() -> bool:
    side = local()
    side.lay_out()
    path = side.temp_path()
    try:
        path.write_bytes(b"probe")
        return path.stat().st_size == len(b"probe")
    finally:
        path.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _local_probe() -> Probe:
    return Probe(_can_write)


@lru_cache(maxsize=4)
def _cloud_probe(space: Space) -> Probe:
    def has_bucket() -> bool:
        # A client of its own: impatient, and its connection dies with the question.
        client = new_client(space, connect=1, read=1, attempts=1)
        try:
            client.head_bucket(Bucket=space.bucket)
        finally:
            client.close()
        return True

    return Probe(has_bucket)


def forget() -> None:
    """Forget every answer, as after a fork or a change of the settings."""
    _local_probe.cache_clear()
    _cloud_probe.cache_clear()


os.register_at_fork(after_in_child=forget)
