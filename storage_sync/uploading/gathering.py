"""Reading once what was uploaded in parts: onto this disk where it has room, hashed, and held against every part."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from chatvista.foundation.problems import TransientError
from storage_sync.arriving.intake import disk_problem
from storage_sync.disk import caching
from storage_sync.fingerprints import BLOCK_BYTES, Fingerprint, Fingerprinting
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import Part


class TooSlowError(Exception):
    """There was no time to read all of it now."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the bytes are; `path` holds them, fsynced, in temp/, or is None where this disk has no room for them."""

    fingerprint: Fingerprint
    path: Path | None


@contextmanager
def gathered(
    *, side: CloudSide, key: str, parts: Sequence[Part], pulse: Callable[[int], None], until: float
) -> Iterator[Gathered]:
    """Read an object that was made of these parts; leaving the block removes what was not adopted.

    Args:
        pulse: told how many bytes were read, often; what it raises ends the reading.
        until: when to give up, by the monotonic clock.

    Raises TooSlowError; TransientError, also `cloud_copy_damaged`; MissingObjectError; Problem 507 or 503.
    """
    size = sum(part.size for part in parts)
    path, check = local().temp_path() if _has_room(size) else None, _PartCheck(parts)
    with contextlib.ExitStack() as stack:
        sink = None
        if path is not None:
            stack.callback(path.unlink, missing_ok=True)
            sink = stack.enter_context(path.open("xb", buffering=0))
        fingerprint = _hashed(side.read(key=key), into=sink, check=check, pulse=pulse, until=until)
        if not check.holds():
            # Perhaps only the way was bad: it is read again, by the next attempt.
            raise TransientError("cloud_copy_damaged", "What the Space gives is not what it was given.", retry_after=10)
        if sink is not None:
            _sync(sink)
        yield Gathered(fingerprint, path)


def fingerprint_of(path: Path, *, pulse: Callable[[int], None], until: float) -> Fingerprint:
    """The same for bytes that are on this disk already."""
    return _hashed(_blocks_of(path), pulse=pulse, until=until)


def _hashed(
    chunks: Iterator[bytes],
    *,
    into: BinaryIO | None = None,
    check: _PartCheck | None = None,
    pulse: Callable[[int], None],
    until: float,
) -> Fingerprint:
    taking = Fingerprinting(in_lanes=True)
    try:
        for chunk in chunks:
            taking.update(chunk)
            if check is not None:
                check.update(chunk)
            if into is not None:
                _write(into, chunk)
            pulse(taking.size)
            if time.monotonic() > until:
                raise TooSlowError
        return taking.result()
    finally:
        taking.stop()


class _PartCheck:
    """Whether the bytes are the parts, one after another: by their MD5s, which their ETags are."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self._at = 0
        self._room = parts[0].size if parts else 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._is_wrong = False

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(chunk)
        while view and not self._is_wrong:
            if self._at == len(self._parts):
                self._is_wrong = True
                return
            piece, view = view[: self._room], view[self._room :]
            self._md5.update(piece)
            self._room -= len(piece)
            if not self._room:
                self._close()

    def holds(self) -> bool:
        """Whether everything was there, and right."""
        return not self._is_wrong and self._at == len(self._parts)

    def _close(self) -> None:
        self._is_wrong = self._md5.hexdigest() != self._parts[self._at].etag
        self._at += 1
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._room = self._parts[self._at].size if self._at < len(self._parts) else 0


def _has_room(size: int) -> bool:
    """Whether this disk may keep a copy; it is only a cache of what the Space has."""
    local().lay_out()
    caching.make_room(bytes_needed=size)
    return local().free_bytes() - size >= settings.DISK_RESERVE_BYTES


def _blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as source:
        while block := source.read(BLOCK_BYTES):
            yield block


def _write(sink: BinaryIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    try:
        while view:
            view = view[sink.write(view) :]
    except OSError as error:
        raise disk_problem(error) from error


def _sync(sink: BinaryIO) -> None:
    try:
        os.fsync(sink.fileno())
    except OSError as error:
        raise disk_problem(error) from error
