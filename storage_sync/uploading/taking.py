"""Taking a chunk: the bytes of one request, from where the upload stands, in time before the platform cuts it.

What has been acknowledged stays, however the request ends; the client asks where the upload stands, and goes on there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import tempfile
import time
import uuid
from dataclasses import dataclass
from typing import IO, Protocol

import structlog
from django.conf import settings

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import Problem, WorkError
from storage_sync.arriving.intake import disk_full, disk_problem
from storage_sync.models import Upload, UploadState
from storage_sync.sides.cloud import cloud
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import UploadGoneError
from storage_sync.uploading import finishing, holding
from storage_sync.uploading.appending import Appending
from storage_sync.uploading.holding import Hold
from storage_sync.uploading.parting import Parting

logger = structlog.get_logger(__name__)

# The platform cuts requests after 100 s: reading ends in time for what has come to be acknowledged.
READING_SECONDS, REQUEST_SECONDS = 60.0, 85.0
PIECE_BYTES = 128 * 1024
LARGEST_IN_MEMORY = 32 * 1024 * 1024
CHECKSUMS = ("sha1", "sha256", "sha512", "md5")


class Source(Protocol):
    """The body of a request."""

    announced: int | None

    def read(self, size: int) -> bytes:
        """The next bytes; empty at the end. Problem 400 where it breaks off."""


class _Sink(Protocol):
    arrived: int

    def write(self, chunk: bytes) -> None: ...
    def finish(self) -> None: ...
    def settle(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the client vouches for: an algorithm's name and the digest of this one chunk."""

    algorithm: str
    digest: bytes

    @classmethod
    def of_header(cls, written: str) -> Checksum:
        """`sha256 <base64>`; Problem 400 `checksum_malformed` or `checksum_not_supported`."""
        algorithm, _, encoded = written.strip().partition(" ")
        if algorithm not in CHECKSUMS:
            raise Problem("checksum_not_supported", f"Upload-Checksum takes {', '.join(CHECKSUMS)}.")
        try:
            digest = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
            raise Problem("checksum_malformed", "Write Upload-Checksum as the algorithm and the digest in base64.")
        return cls(algorithm, digest)


def take_chunk(*, upload_id: uuid.UUID, offset: int, body: Source, checksum: Checksum | None = None) -> Upload:
    """Take the body as the bytes from `offset`; the upload as it then stands, finished where that was the last byte.

    Fewer bytes than the body has may have been taken when it was long or broke off. Must be called outside any
    transaction.

    Raises:
        Problem: 409 `upload_offset_conflict`, 410 `upload_gone`, 413 `chunk_too_long`, 423 `upload_locked`, 460
            `checksum_mismatch`, 400 `body_cut_short`, 503 `storage_unavailable`, 507 `disk_full`, and what finishing
            raises. The offset stays where it was acknowledged.
    """
    started = time.monotonic()
    hold = holding.hold(upload_id=upload_id, state=UploadState.OPEN, offset=offset)
    try:
        _take(hold, body, checksum, started)
        if hold.upload.state == UploadState.FINISHING:
            return finishing.finish(hold)
    except LeaseLostError as error:
        raise holding.locked() from error
    except UploadGoneError as error:
        raise finishing.fail(hold, Problem("upload_gone", error.detail, status=410)) from error
    except WorkError as error:
        logger.warning("upload_chunk_failed", upload=str(upload_id), code=error.code, detail=error.detail)
        detail = "The bytes could not be stored; ask where the upload stands, and go on there."
        raise Problem("storage_unavailable", detail, status=503, retry_after=5) from error
    finally:
        hold.let_go()
    return hold.upload


def _take(hold: Hold, body: Source, checksum: Checksum | None, started: float) -> None:
    room = hold.upload.size - hold.upload.offset
    if (body.announced or 0) > room:
        raise _too_long(room)
    _require_disk()
    if checksum is None:
        _sink(hold, body, room, started)
        return
    with _unnamed(hold) as spool:
        _sink(hold, _verified(body, checksum, room, hold, spool), room, started)


def _unnamed(hold: Hold) -> IO[bytes]:
    """Room for a chunk that is to be verified; that of a confidential upload touches no disk."""
    if hold.upload.is_confidential:
        return io.BytesIO()
    return tempfile.TemporaryFile(dir=local().root / "temp")


def _sink(hold: Hold, body: Source, room: int, started: float) -> None:
    side, late = cloud(), started + REQUEST_SECONDS
    sink: _Sink = Appending(hold=hold) if side is None else Parting(hold=hold, side=side, until=late)
    try:
        _pour(body, sink, room=room, until=started + READING_SECONDS)
    except WorkError:
        sink.settle()
        raise
    except OSError as error:
        raise disk_problem(error) from error
    finally:
        sink.close()


def _pour(body: Source, sink: _Sink, *, room: int, until: float) -> None:
    """Everything there is to read, until it is time to answer."""
    taken, broken = 0, None
    wanted = room if body.announced is None else body.announced
    while taken < wanted and time.monotonic() < until:
        try:
            piece = body.read(min(PIECE_BYTES, wanted - taken))
        except Problem as problem:
            broken = problem
            break
        if not piece:
            break
        taken += len(piece)
        sink.write(piece)
    else:
        if taken == room and body.announced is None and body.read(1):
            raise _too_long(room)
    sink.finish()
    if broken is None and body.announced is not None and taken < body.announced and time.monotonic() < until:
        broken = Problem("body_cut_short", "The connection broke before the chunk was complete.")
    if broken is not None and taken < room:
        raise broken


def _verified(body: Source, checksum: Checksum, room: int, hold: Hold, spool: IO[bytes]) -> Source:
    """The whole chunk, on this disk and hashed: not a byte of it counts before it is what the client meant."""
    digest, size = hashlib.new(checksum.algorithm, usedforsecurity=False), 0
    try:
        while piece := body.read(PIECE_BYTES):
            size += len(piece)
            if size > room:
                raise _too_long(room)
            if hold.upload.is_confidential and size > LARGEST_IN_MEMORY:
                detail = f"With a checksum, chunks of confidential uploads have {LARGEST_IN_MEMORY} bytes at most."
                raise Problem("chunk_too_long", detail, status=413)
            digest.update(piece)
            spool.write(piece)
            hold()
    except OSError as error:
        raise disk_problem(error) from error
    if body.announced is not None and size < body.announced:
        raise Problem("body_cut_short", "The connection broke before the chunk was complete.")
    if not hmac.compare_digest(digest.digest(), checksum.digest):
        raise Problem("checksum_mismatch", "The chunk is not what Upload-Checksum says; send it again.", status=460)
    spool.seek(0)
    return _Spooled(spool, size)


class _Spooled:
    """A chunk that was verified, to be read once more."""

    def __init__(self, spool: IO[bytes], size: int) -> None:
        self.announced: int | None = size
        self._spool = spool

    def read(self, size: int) -> bytes:
        """The next bytes."""
        return self._spool.read(size)


def _require_disk() -> None:
    local().lay_out()
    if local().free_bytes() < settings.DISK_RESERVE_BYTES:
        raise disk_full()


def _too_long(room: int) -> Problem:
    return Problem("chunk_too_long", f"The upload lacks {room} bytes only.", status=413)
