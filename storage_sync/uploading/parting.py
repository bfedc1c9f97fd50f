"""Chunks become parts of an object of the Space: cut at fixed places, sent while more arrive, acknowledged in order.

What is too little for a part waits at the Space too, in an object of its own (the tail), so that the next request may
come to any instance. The row's offset moves only behind bytes that the Space has acknowledged.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any, BinaryIO, Self, TypeVar

import structlog

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import TransientError, WorkError
from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import Upload, UploadState
from storage_sync.sides import multiparts
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.contract import CHUNK_BYTES
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import Multipart
from storage_sync.sides.slices import Slice
from storage_sync.uploading.holding import Hold

logger = structlog.get_logger(__name__)

T = TypeVar("T")
TAILS = "uploads/"
OCTETS = "application/octet-stream"
SENDING_AT_ONCE = 2
PULSE_SECONDS = 0.5


class _Spool:
    """Up to a part's bytes in a file without a name, gone with its last descriptor however this process ends."""

    def __init__(self) -> None:
        self.size = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._file: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, piece: memoryview) -> None:
        """Take bytes; OSError when the disk does not."""
        if self._file is None:
            local().lay_out()
            self._file = tempfile.TemporaryFile(dir=local().root / "temp", buffering=0)  # noqa: SIM115  see `close`
        self.md5.update(piece)
        self.size += len(piece)
        while piece:
            piece = piece[self._file.write(piece) :]

    def source(self) -> BinaryIO:
        """The bytes, seekable."""
        return io.BufferedReader(Slice(self._file.fileno(), 0, self.size), CHUNK_BYTES)

    def close(self) -> None:
        """Forget them."""
        if self._file is not None:
            self._file.close()


@dataclass(frozen=True, slots=True)
class _Sending:
    """A part on its way."""

    number: int
    spool: _Spool
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
        self._spool = _Spool()
        self._is_joined = not hold.upload.tail_key
        self._number = len(hold.upload.parts)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TransientError, PermanentError, LeaseLostError."""
        if not self._is_joined:
            self._fetch_tail()
        self._take(memoryview(chunk))
        self.arrived += len(chunk)
        self._hold()

    def finish(self) -> None:
        """Have everything acknowledged; with the last byte the upload is `finishing`, in the same UPDATE."""
        is_complete = self.arrived == self._upload.size
        if is_complete and not self._is_joined:
            self._fetch_tail()
        if is_complete and self._spool.size:
            self._cut()
        while self._sending:
            self._acknowledge(self._sending[0])
        if is_complete:
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
            piece = view[: PART_BYTES - self._spool.size]
            self._spool.write(piece)
            view = view[len(piece) :]
            if self._spool.size == PART_BYTES:
                self._cut()

    def _cut(self) -> None:
        """Send what is spooled as the next part, once there is a thread for it."""
        while len(self._sending) >= SENDING_AT_ONCE:
            self._acknowledge(self._sending[0])
        if not self._upload.multipart_id:
            self._open_multipart()
        self._number += 1
        spool, self._spool, number = self._spool, _Spool(), self._number
        upload = Multipart(self._side, self._upload.key, self._upload.multipart_id)

        def send() -> str:
            with spool:
                return upload.put(number=number, source=spool.source(), md5=spool.md5.digest())

        self._sending.append(_Sending(number, spool, self._pool.submit(send)))

    def _acknowledge(self, sending: _Sending) -> None:
        """Wait for the oldest part and move the offset behind it."""
        etag = self._awaited(sending.answer)
        parts = [
            *self._upload.parts,
            {"number": sending.number, "size": sending.spool.size, "etag": etag, "md5": sending.spool.md5.hexdigest()},
        ]
        tail = self._upload.tail_key
        self._hold.write(parts=parts, offset=_total(parts), tail_key="", tail_size=0)
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
        key, size = self._upload.tail_key, self._upload.tail_size
        held = self._outside(lambda: b"".join(self._side.read(key=key)))
        md5 = hashlib.md5(held, usedforsecurity=False).hexdigest()
        if len(held) != size or not key.endswith(md5):
            raise TransientError("cloud_copy_damaged", "The Space did not keep what it was given.", retry_after=5)
        self._is_joined = True
        self._take(memoryview(held))

    def _keep_tail(self) -> None:
        """Leave what is too little for a part where any instance finds it, under a name it never had."""
        spool, self._spool, old = self._spool, _Spool(), self._upload.tail_key
        key = f"{tail_prefix(self._upload)}{uuid.uuid4().hex}-{spool.md5.hexdigest()}"

        def send() -> None:
            with spool:
                self._side.put(key=key, source=spool.source(), size=spool.size, content_type=OCTETS)

        self._outside(send)
        self._hold.write(offset=self.arrived, tail_key=key, tail_size=spool.size)
        if old:
            self._forget(old)

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


def tail_prefix(upload: Upload) -> str:
    """Where the tails of an upload lie."""
    return f"{TAILS}{upload.pk}/"


def _total(parts: list[dict[str, Any]]) -> int:
    return sum(part["size"] for part in parts)
