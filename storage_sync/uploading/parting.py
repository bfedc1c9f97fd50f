"""Chunks become parts of an object of the Space: cut at fixed places, sent while more arrive, acknowledged in order.

What is too little for a part waits at the Space too, in an object of its own (the tail), so that the next request may
come to any instance. The row's offset moves only behind bytes that the Space has acknowledged.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import TransientError, WorkError
from storage_sync.fingerprints import BLOCK_BYTES, PART_BYTES
from storage_sync.models import Upload, UploadState
from storage_sync.sides import multiparts
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.multiparts import Multipart
from storage_sync.uploading import pieces
from storage_sync.uploading.holding import Hold
from storage_sync.uploading.pieces import Spool

logger = structlog.get_logger(__name__)

T = TypeVar("T")
OCTETS = "application/octet-stream"
SENDING_AT_ONCE = 2
PULSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Sending:
    """A part on its way."""

    number: int
    spool: Spool
    key: str
    answer: Future[str]


class Parting:
    """Takes the bytes of one request from where the upload stands.

    `until` (monotonic) is when the request must end, whatever the Space does. Closing it lets unfinished transfers
    end by themselves.
    """

    def __init__(self, *, hold: Hold, side: CloudSide, until: float) -> None:
        self.arrived = hold.upload.offset
        self._hold, self._side, self._until = hold, side, until
        self._pool = ThreadPoolExecutor(SENDING_AT_ONCE, thread_name_prefix="upload-part")
        self._sending: deque[_Sending] = deque()
        self._seal = pieces.seal_of(hold.upload)
        # A sealed piece is a little longer; it is still put at once.
        self._piece_bytes = PART_BYTES if self._seal is None else PART_BYTES - BLOCK_BYTES
        if self._piece_bytes <= 0:
            raise ValueError(f"a part of {PART_BYTES} bytes has no room for a sealed piece")
        self._is_joined = not hold.upload.tail_key
        self._number = len(hold.upload.parts)
        self._spool = self._new_spool()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TransientError, PermanentError, LeaseLostError."""
        if not self._is_joined:
            self._fetch_tail()
        self._take(memoryview(chunk))
        self.arrived += len(chunk)
        self._hold()

    def finish(self) -> None:
        """Have everything acknowledged; with its last part the upload is `finishing`, in the same UPDATE."""
        is_complete = self.arrived == self._upload.size
        if is_complete and not self._is_joined:
            self._fetch_tail()
        if is_complete and self._spool.size:
            self._cut()
        while self._sending:
            self._acknowledge(self._sending[0])
        if is_complete:
            if self._upload.state == UploadState.OPEN:  # it has no bytes, or had them all before
                self._hold.write(state=UploadState.FINISHING)
        elif self._spool.size and self.arrived > self._upload.offset:
            self._keep_tail()

    def settle(self) -> None:
        """Write down what has been acknowledged by now, and forget the rest: the Space fails."""
        with contextlib.suppress(WorkError, LeaseLostError):
            while self._sending and self._sending[0].answer.done():
                self._acknowledge(self._sending[0])

    def close(self) -> None:
        """Let go of threads and files."""
        # Not waited for: against a Space that hangs they give up by themselves, when nobody listens any more.
        self._pool.shutdown(wait=False, cancel_futures=True)
        for sending in self._sending:
            if sending.answer.cancelled():
                sending.spool.close()
        self._spool.close()

    @property
    def _upload(self) -> Upload:
        return self._hold.upload

    def _take(self, view: memoryview) -> None:
        while view:
            piece = view[: self._piece_bytes - self._spool.size]
            self._spool.write(piece)
            view = view[len(piece) :]
            if self._spool.size == self._piece_bytes:
                self._cut()

    def _cut(self) -> None:
        """Send what is spooled as the next part, once there is a thread for it."""
        while len(self._sending) >= SENDING_AT_ONCE:
            self._acknowledge(self._sending[0])
        if self._seal is None and not self._upload.multipart_id:
            self._open_multipart()
        self._number += 1
        spool, self._spool, number = self._spool, self._new_spool(), self._number
        md5 = spool.complete()
        key = "" if self._seal is None else pieces.new_piece_key(self._upload, md5)
        upload = Multipart(self._side, self._upload.key, self._upload.multipart_id)

        def send() -> str:
            with spool:
                if not key:
                    return upload.put(number=number, source=spool.source(), md5=md5)
                self._put(key, spool)
                return md5.hex()

        self._sending.append(_Sending(number, spool, key, self._pool.submit(send)))

    def _acknowledge(self, sending: _Sending) -> None:
        """Wait for the oldest part and move the offset behind it."""
        etag = self._awaited(sending.answer)
        part = {"number": sending.number, "size": sending.spool.size, "etag": etag, "md5": etag}
        parts = [*self._upload.parts, part | ({"key": sending.key} if sending.key else {})]
        tail, offset = self._upload.tail_key, _total(parts)
        # A client that is told of the last byte takes the upload for done: whoever asks from now on has to finish it.
        state = UploadState.FINISHING if offset == self._upload.size else UploadState.OPEN
        self._hold.write(parts=parts, offset=offset, state=state, tail_key="", tail_size=0)
        self._sending.popleft()
        if tail:
            self._forget(tail)

    def _open_multipart(self) -> None:
        upload = self._upload
        made = self._outside(
            lambda: multiparts.begin(side=self._side, key=upload.key, content_type=upload.content_type)
        )  # fmt: skip
        self._hold.write(multipart_id=made.upload_id)

    def _fetch_tail(self) -> None:
        """Go on with what the last request left, verified."""
        row, start = self._upload, _total(self._upload.parts)
        held = self._outside(
            lambda: pieces.read_piece(side=self._side, upload=row, key=row.tail_key, size=row.tail_size, start=start)
        )
        self._is_joined = True
        self._take(memoryview(held))

    def _keep_tail(self) -> None:
        """Leave what is too little for a part where any instance finds it, under a name it never had."""
        spool, self._spool, old = self._spool, self._new_spool(), self._upload.tail_key
        key = pieces.new_piece_key(self._upload, spool.complete())

        def send() -> None:
            with spool:
                self._put(key, spool)

        self._outside(send)
        self._hold.write(offset=self.arrived, tail_key=key, tail_size=spool.size)
        if old:
            self._forget(old)

    def _put(self, key: str, spool: Spool) -> None:
        self._side.put(key=key, source=spool.source(), size=spool.held_size, content_type=OCTETS)

    def _new_spool(self) -> Spool:
        return Spool(seal=self._seal, start=self._number * self._piece_bytes)

    def _forget(self, key: str) -> None:
        """Remove a tail that nobody needs any more; one that stays is swept."""
        try:
            self._outside(lambda: self._side.delete(key=key))
        except WorkError as error:
            logger.info("upload_tail_stays_for_now", key=key, code=error.code)

    def _outside(self, work: Callable[[], T]) -> T:
        """Do something with the Space in a thread, while the lease is renewed from here."""
        return self._awaited(self._pool.submit(work))

    def _awaited(self, answer: Future[T]) -> T:
        while True:
            try:
                return answer.result(timeout=PULSE_SECONDS)
            except NotYet:
                if answer.done():
                    raise
                self._hold()
                if time.monotonic() > self._until:
                    raise TransientError("cloud_unavailable", "The Space does not answer.", retry_after=5) from None


def _total(parts: list[dict[str, Any]]) -> int:
    return sum(part["size"] for part in parts)
