"""Taking bytes in: pushed chunk by chunk into a temporary file, counted, hashed and bounded on the way.

Nothing here knows the ledger; what has landed is made a file by `receiving`. A body of more than one part goes to the
Space while it still comes in (see `forwarding`).
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.conf import settings
from django.utils import timezone

from chatvista.foundation.problems import Problem
from chatvista.foundation.records import uuid7
from storage_sync import keys
from storage_sync.arriving.forwarding import Forwarding, forwarding, wants_part_md5s
from storage_sync.arriving.lanes import Lane
from storage_sync.disk import caching
from storage_sync.fingerprints import PART_BYTES, Fingerprint, Fingerprinting
from storage_sync.sealing.seals import Sealing, new_seal
from storage_sync.sides.local import is_full, local

LOOK_AT_DISK_EVERY = 64 * 1024 * 1024
# Written through this often, so that the disk works while the rest comes, and not all at the end.
SYNC_EVERY = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Landed:
    """Complete, fsynced bytes in temp/, and what one pass over them told.

    `forwarded` has sent them to the Space meanwhile, and is told `part_md5s` to make an object of them.
    """

    path: Path
    category: str
    fingerprint: Fingerprint
    file_id: uuid.UUID
    sealing: Sealing | None = None
    forwarded: Forwarding | None = None
    part_md5s: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """How many bytes came; sealed, more lie on the disk."""
        return self.fingerprint.size if self.sealing is None else self.sealing.size

    @property
    def sha256(self) -> str:
        """The sha256 of what came, in hexadecimal."""
        return self.fingerprint.sha256 if self.sealing is None else self.sealing.sha256

    def opened(self) -> BinaryIO:
        """What came, as a seekable file; the caller closes it."""
        source = self.path.open("rb")
        if self.sealing is None:
            return source
        return self.sealing.seal.unsealed(source, sealed_size=self.fingerprint.size)


class Intake:
    """One body being taken in.

    Args:
        category: what the file will be for.
        largest: bytes this endpoint takes.
        allowance: bytes left of the tenant's quota; None for no quota.
        announced_size: what the client said (`Content-Length`), if it did.
        expected_sha256: what the client said (`Repr-Digest`), in hexadecimal.
        may_be_empty: whether no bytes at all are a file too.
        is_confidential: whether the bytes are sealed before they are written anywhere.

    `extension` may be set until the first part is complete: it ends the key of what goes to the Space meanwhile.

    Entering raises Problem 413 `body_too_large`, 413 `quota_exceeded` or 507 `disk_full` before the first byte; so does
    `write`. Leaving removes the temporary file unless it was received.
    """

    def __init__(
        self,
        *,
        category: str,
        largest: int,
        allowance: int | None = None,
        announced_size: int | None = None,
        expected_sha256: str | None = None,
        may_be_empty: bool = False,
        is_confidential: bool = False,
    ) -> None:
        self.category = category
        self.largest = largest
        self.allowance = allowance
        self.announced_size = announced_size
        self.expected_sha256 = expected_sha256.lower() if expected_sha256 else None
        self.may_be_empty = may_be_empty
        self.extension = ""
        self.file_id = uuid7()
        self._taking = Fingerprinting(in_lanes=True, with_parts=wants_part_md5s())
        self._sealing = Sealing(new_seal(self.file_id)) if is_confidential else None
        self._forwarding: Forwarding | None = None
        self._sink: BinaryIO | None = None
        self._path: Path | None = None
        self._syncing: Lane | None = None
        self._look_at, self._sync_at = LOOK_AT_DISK_EVERY, SYNC_EVERY

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._taking.size if self._sealing is None else self._sealing.size

    def open(self) -> None:
        """Refuse, or be ready for the first byte."""
        self._refuse_beyond(self.announced_size or 0)
        try:
            local().lay_out()
            self._require_room(self.announced_size or 0)
            path = local().temp_path()
            self._sink = path.open("x+b", buffering=0)  # read again by what sends it on
            self._path = path
        except OSError as error:
            raise disk_problem(error) from error

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        if self._sink is None:
            raise RuntimeError("the intake is not open")
        self._refuse_beyond(self.size + len(chunk))
        if self.size > self._look_at:
            self._look_at += LOOK_AT_DISK_EVERY
            self._require_room(0)
        self._keep(chunk if self._sealing is None else self._sealing.take(chunk))

    def land(self) -> Landed:
        """Every byte is here and on the disk. Problem 400 `empty_body`, `size_mismatch`, `digest_mismatch`."""
        if self._sink is None or self._path is None:
            raise RuntimeError("the intake is not open")
        if not self.size and not self.may_be_empty:
            raise Problem("empty_body", "The body is empty.")
        if self.announced_size is not None and self.size != self.announced_size:
            detail = f"{self.announced_size} bytes were announced, {self.size} came."
            raise Problem("size_mismatch", detail)
        if self._sealing is not None:
            self._keep(self._sealing.finish())
        fingerprint = self._taking.result()
        landed = Landed(
            path=self._path,
            category=self.category,
            fingerprint=fingerprint,
            file_id=self.file_id,
            sealing=self._sealing,
            forwarded=self._forwarding,
            part_md5s=self._taking.all_part_md5s(),
        )
        if self.expected_sha256 and landed.sha256 != self.expected_sha256:
            raise Problem("digest_mismatch", f"The sha256 of what came is {landed.sha256}.")
        try:
            if self._syncing is not None:
                # The system tells a failed write once: what the lane was told, fsync will not be.
                self._syncing.close()
            os.fsync(self._sink.fileno())
            self._sink.close()
        except OSError as error:
            raise disk_problem(error) from error
        return landed

    def close(self) -> None:
        """Forget what was not received. May be called twice."""
        if self._forwarding is not None:
            self._forwarding.abandon()
        self._taking.stop()
        if self._syncing is not None:
            with contextlib.suppress(OSError):  # whoever cared has asked in `land`
                self._syncing.close()
        if self._sink is not None:
            self._sink.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _keep(self, chunk: bytes | memoryview) -> None:
        """Onto the disk, as it will lie on every side."""
        if self._sink is None:
            raise RuntimeError("the intake is not open")
        was_small = self._taking.size <= PART_BYTES
        view = memoryview(chunk)
        try:
            while view:
                view = view[self._sink.write(view) :]
            # After it is written: a part is sent from the disk as soon as its MD5 is known.
            self._taking.update(chunk)
            if self._taking.size >= self._sync_at:
                self._sync(self._sink.fileno())
        except OSError as error:
            raise disk_problem(error) from error
        if was_small and self._taking.size > PART_BYTES:
            self._forwarding = forwarding(key=self._key(), descriptor=self._sink.fileno())
        if self._forwarding is not None:
            self._forwarding.go_on(self._taking.part_md5s)

    def _key(self) -> str:
        today = timezone.now().date()
        return keys.new_key(category=self.category, file_id=self.file_id, extension=self.extension, on=today)

    def _sync(self, descriptor: int) -> None:
        """Have what is written so far on the disk, in a thread that does one step at a time."""
        self._sync_at += SYNC_EVERY
        if self._syncing is None:
            self._syncing = Lane(lambda _: os.fdatasync(descriptor))
        self._syncing.give(b"")

    def _refuse_beyond(self, size: int) -> None:
        if size > self.largest:
            raise Problem("body_too_large", f"At most {self.largest} bytes are taken here.", status=413)
        if self.allowance is not None and size > self.allowance:
            detail = f"The organization has {max(0, self.allowance)} bytes of its quota left."
            raise Problem("quota_exceeded", detail, status=413)

    def _require_room(self, size: int) -> None:
        if local().free_bytes() - size >= settings.DISK_RESERVE_BYTES:
            return
        caching.make_room(bytes_needed=size)
        if local().free_bytes() - size < settings.DISK_RESERVE_BYTES:
            raise disk_full()


def disk_full() -> Problem:
    """The answer when the disk has no room that may be used."""
    return Problem("disk_full", "There is no room for this now; try again later.", status=507, retry_after=60)


def disk_problem(error: OSError) -> Problem:
    """What the client is told when the disk failed: 507 when it is full, 503 otherwise."""
    if is_full(error):
        return disk_full()
    return Problem("storage_unavailable", "The storage failed; try again.", status=503, retry_after=30)
