"""Reading a file wherever its bytes are best read: from this disk, or straight from the cloud, always verified.

What lies on the sides is `held`; it differs from what people uploaded where a file is sealed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

import structlog

from chatvista.foundation.problems import Problem, WorkError
from storage_sync.damage.healing import SpaceAwayProblem, unavailable
from storage_sync.disk import blocks, caching, verifying
from storage_sync.disk.blocks import BlockDamagedError
from storage_sync.disk.finding import LOOKS, local_path, look_again, require_readable
from storage_sync.giving import streaming
from storage_sync.giving.seekable import Seekable
from storage_sync.giving.streaming import DamagedError
from storage_sync.models import StoredFile
from storage_sync.sealing import unsealing
from storage_sync.sides.contract import CHUNK_BYTES, MissingObjectError
from storage_sync.sides.local import local
from storage_sync.vocabulary import FileState

__all__ = ["held", "local_path", "opened", "opened_here", "require_readable", "stream", "stream_as_held", "unavailable"]

logger = structlog.get_logger(__name__)

T = TypeVar("T")

# A file this large is not read as a whole for the sake of a part of it.
LARGE_BYTES = 8 * 1024 * 1024


def opened(file: StoredFile) -> BinaryIO:
    """What people uploaded, as a seekable file; the caller closes it.

    From this disk, and where it has no room straight from the Space, part by part as it is read. Once open it stays
    readable, whatever becomes of its name. Raises what `local_path` raises, but 507.
    """
    return _as_it_lies(file, lambda: unsealing.plain_file(file=file, source=held(file)))


def opened_here(file: StoredFile) -> BinaryIO:
    """The same, from this disk only. Raises what `local_path` raises."""
    return _as_it_lies(file, lambda: unsealing.plain_file(file=file, source=_held_here(file)))


def held(file: StoredFile) -> BinaryIO:
    """What lies on the sides, as a seekable file; as `opened`."""
    try:
        return _held_here(file)
    except Problem as error:
        if error.status != 507:
            raise
        return _held_afar(file)


def stream(file: StoredFile, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """What people uploaded, or a part of it, in chunks; the first is read before this returns. As `stream_as_held`."""
    return _as_it_lies(
        file,
        lambda: unsealing.plain_stream(
            file=file,
            held=lambda at, count: stream_as_held(file, start=at, length=count),
            start=start,
            length=length,
        ),
    )


def stream_as_held(file: StoredFile, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes as they lie on the sides, or a part of them, in chunks; the first is read before this returns.

    A part of a large file is verified by its blocks, and does not wait until the whole is verified or fetched. Without
    room on this disk the bytes come from the cloud directly: a whole file then ends in an error instead of with its
    last chunk when its sha256 does not hold. Raises what `local_path` raises, but 507.
    """
    end = file.held_size if length is None else min(start + length, file.held_size)
    if file.state != FileState.LOST:
        require_readable(file)
        if start >= end and file.held_size:
            return iter(())
        found = _part_by_blocks(file, start, end) if end - start < file.held_size else None
        if found is not None:
            return found
    try:
        return _begun(_from_disk(file, start, end))
    except Problem as error:
        # Asked once more it would only keep the reader waiting as long again.
        if error.status not in {503, 507} or isinstance(error, SpaceAwayProblem):
            raise
    except (MissingObjectError, WorkError) as error:
        logger.warning("local_copy_unreadable", key=file.key, error=str(error))
    side = streaming.space_for_readers()
    if side is None:
        raise unavailable()
    try:
        return _begun(streaming.straight(file=file, side=side, start=start, end=end))
    except (WorkError, OSError, DamagedError, BlockDamagedError) as error:
        raise unavailable() from error


def _as_it_lies(file: StoredFile, read: Callable[[], T]) -> T:
    """What `read` gives; once more where the file was sealed or opened meanwhile, now that its row is up to date."""
    before = file.state, file.sealed_key
    try:
        return read()
    except Problem:
        file.refresh_from_db()
        if file.state != before[0] or file.sealed_key == before[1]:
            raise
    return read()


def _held_here(file: StoredFile) -> BinaryIO:
    for _ in range(LOOKS):
        try:
            return local_path(file).open("rb")
        except FileNotFoundError:
            look_again(file)
        except OSError as error:
            raise unavailable() from error
    raise unavailable()


def _held_afar(file: StoredFile) -> BinaryIO:
    """Read part by part, each from wherever it is best read."""

    def begin(at: int) -> Iterator[bytes]:
        # Whoever moves about in a large file has no use for the whole of it on this disk.
        by_blocks = _part_by_blocks(file, at, file.held_size)
        return stream_as_held(file, start=at) if by_blocks is None else by_blocks

    return io.BufferedReader(Seekable(size=file.held_size, begin=begin), CHUNK_BYTES)


def _part_by_blocks(file: StoredFile, start: int, end: int) -> Iterator[bytes] | None:
    """A part of a large file that this process has not verified, without reading the whole; None where it cannot be."""
    here = local().path(file.key)
    if file.held_size < LARGE_BYTES or verifying.is_known(here):
        return None
    part = blocks.covering(file=file, start=start, end=end)
    if part is None:
        return None
    try:
        if here.exists():
            chunks = streaming.by_blocks(file=file, side=local(), part=part)
            caching.touch(here)
            return _begun(_healed_midway(file, chunks, start, end))
        side = streaming.space_for_readers()
        return None if side is None else _begun(streaming.by_blocks(file=file, side=side, part=part))
    except (BlockDamagedError, MissingObjectError, WorkError, OSError) as error:
        # The whole is looked at, which tells what is wrong and heals it.
        logger.warning("part_not_read_by_blocks", key=file.key, error=str(error))
        return None


def _from_disk(file: StoredFile, start: int, end: int) -> Iterator[bytes]:
    key = local_path(file).relative_to(local().root).as_posix()
    return local().read(key=key, start=start, length=end - start)


def _healed_midway(file: StoredFile, chunks: Iterator[bytes], start: int, end: int) -> Iterator[bytes]:
    """What begins well on this disk, and goes on from healed bytes where the disk turns out damaged."""
    at = start
    try:
        for chunk in chunks:
            at += len(chunk)
            yield chunk
    except (BlockDamagedError, MissingObjectError, WorkError) as error:
        if at == start:
            raise
        logger.warning("healing_midway", key=file.key, at=at, error=str(error))
        yield from stream_as_held(file, start=at, length=end - at)


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same, with the first chunk read: what fails at once fails here."""
    first = next(chunks, b"")
    return _chain(first, chunks)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
