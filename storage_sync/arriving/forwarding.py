"""Sending the parts of a large body to the Space while the rest of it is still coming: one pass instead of two.

The disk is the buffer: what is sent is read where it lies (in the page cache, as a rule), a few parts at a time, and
nothing waits for the Space before the body is here. Nothing is at the key until the file is reserved, and `finish`
says so. A Space that fails costs the pass, not the file: it is then put from the disk, as a small one is.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import structlog
from django.conf import settings

from chatvista.foundation.problems import TransientError, WorkError
from storage_sync.fingerprints import PART_BYTES
from storage_sync.sides import multiparts
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.multiparts import Multipart, Part
from storage_sync.sides.slices import window

logger = structlog.get_logger(__name__)
T = TypeVar("T")

PARTS_AT_ONCE = 3
PAUSES = 0.5, 1.0
# Whoever uploads waits: a Space that hangs is given up soon, and asked once more when the file is put from the disk.
PATIENCE_SECONDS = 15.0
# Some servers put the object together only when they are told that it is complete.
COMPLETE_SECONDS = 30.0
# For one answer. While the body still comes nobody waits for it, so that it may take its time.
ANSWER_SECONDS = 30.0
PULSE_SECONDS = 1.0
# What it is is only known when all of it is here; links and answers name the type themselves.
CONTENT_TYPE = "application/octet-stream"


def forwarding(*, key: str, descriptor: int) -> Forwarding | None:
    """What sends a growing file to that key; None where nobody waits for the Space, or there is none."""
    side = cloud()
    if side is None or settings.STORAGE_ACK == "local":
        return None
    return Forwarding(side=side, key=key, descriptor=descriptor)


def wants_part_md5s() -> bool:
    """Whether what the Space will answer can only be compared with the MD5s of parts."""
    side = cloud()
    return side is None or not multiparts.names_by_whole(side.space)


class Forwarding:
    """A multipart upload of a file that grows. Ends by `finish` or `abandon`; one of them must be called."""

    def __init__(self, *, side: CloudSide, key: str, descriptor: int) -> None:
        self.key = key
        self._side = CloudSide(side.space, read_seconds=ANSWER_SECONDS, attempts=1)
        # Our own: a number that the intake has closed may be another file the next moment.
        self._descriptor = os.dup(descriptor)
        self._threads = ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="forwarding")
        self._began: Future[Multipart] = self._threads.submit(self._begin)
        self._sending: list[Future[Part]] = []
        self._is_over = threading.Event()
        self._has_failed = False

    def go_on(self, part_md5s: Sequence[bytes]) -> None:
        """These parts are complete and written; those not yet sent are sent when it is their turn."""
        if self._has_failed:
            return
        for number in range(len(self._sending) + 1, len(part_md5s) + 1):
            self._sending.append(self._threads.submit(self._send, number, PART_BYTES, part_md5s[number - 1]))

    def finish(self, *, size: int, part_md5s: Sequence[bytes], pulse: Callable[[], None]) -> bool:
        """Send the last part and make the object; False when it did not come to be, and nothing is left of it.

        `pulse` beats in the caller's thread while parts are on their way; what it raises ends the upload.
        """
        try:
            if self._has_failed:
                raise TransientError("cloud_unavailable", "A part could not be sent.")
            self.go_on(part_md5s[: size // PART_BYTES])
            if len(self._sending) < len(part_md5s):
                last = len(part_md5s)
                self._sending.append(
                    self._threads.submit(self._send, last, size - (last - 1) * PART_BYTES, part_md5s[-1])
                )
            self._await(set(self._sending), pulse, patience=PATIENCE_SECONDS)
            parts = [future.result() for future in self._sending]
            completing = self._threads.submit(lambda: self._began.result().complete(parts))
            self._await({completing}, pulse, patience=COMPLETE_SECONDS)
        except WorkError as error:
            logger.warning("forwarding_failed", key=self.key, code=error.code, detail=error.detail)
            self.abandon()
            return False
        except BaseException:
            self.abandon()
            raise
        self._is_over.set()
        self._let_go()
        return True

    def abandon(self) -> None:
        """Forget the parts: at once, for the caller; a thread waits for what is under way. May be called twice."""
        if not self._is_over.is_set():
            self._is_over.set()
            threading.Thread(target=self._abort, name="abandoning", daemon=True).start()

    def _await(self, running: set[Future[Any]], pulse: Callable[[], None], *, patience: float) -> None:
        """Until all are done; a while in which none gets done is taken for a Space that hangs."""
        progress = time.monotonic()
        while running:
            done, running = wait(running, timeout=PULSE_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            now = time.monotonic()
            progress = now if done else progress
            if now - progress > patience:
                raise TransientError("cloud_unavailable", "The Space hangs.")
            pulse()

    def _begin(self) -> Multipart:
        return self._patiently(
            lambda: multiparts.begin(side=self._side, key=self.key, content_type=CONTENT_TYPE)
        )  # fmt: skip

    def _send(self, number: int, size: int, md5: bytes) -> Part:
        if self._has_failed:
            raise TransientError("cloud_unavailable", "An earlier part could not be sent.")
        try:
            upload = self._began.result()

            def put() -> str:
                with window(self._descriptor, (number - 1) * PART_BYTES, size) as source:
                    return upload.put(number=number, source=source, md5=md5)

            return Part(number, size, self._patiently(put))
        except BaseException as error:
            if not self._has_failed:
                logger.warning("part_not_forwarded", key=self.key, number=number, error=repr(error.__cause__ or error))
            self._has_failed = True
            raise

    def _patiently(self, act: Callable[[], T]) -> T:
        """Once more where the Space says no at once; one that hung has used up its patience."""
        began = time.monotonic()
        for pause in PAUSES:
            try:
                return act()
            except TransientError:
                if self._has_failed or time.monotonic() - began > PATIENCE_SECONDS or self._is_over.wait(pause):
                    raise
        return act()

    def _abort(self) -> None:
        try:
            self._let_go()
            if self._began.cancelled() or self._began.exception() is not None:
                return
            self._side.abort_multipart(key=self.key, upload_id=self._began.result().upload_id)
        except WorkError as error:
            # The sweep of old uploads finds it in the Space's list.
            logger.warning("parts_stay_for_now", key=self.key, code=error.code)

    def _let_go(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        os.close(self._descriptor)
