"""Parts of a file without reading all of it first: each block is verified by its digest before any of it is given away.

Generators: they raise MissingObjectError, BlockDamagedError, DamagedError or a WorkError before or between their
chunks, so that an answer breaks off rather than ends with bytes that are not the file's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import structlog

from storage_sync.disk import blocks
from storage_sync.disk.blocks import BlockDamagedError, Part
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.contract import MissingObjectError, Side

logger = structlog.get_logger(__name__)

READINGS = 2
"""A block or an object that arrives damaged is read once more: perhaps only the way was."""


# Somebody waits for the first byte, and a platform cuts him off after 100 s: three readings of two attempts each.
READER_SECONDS, READER_ATTEMPTS = 8, 2


class DamagedError(Exception):
    """The bytes of a side are not the file's; `etag` is that of the object they were read from."""

    def __init__(self, key: str, *, etag: str = "") -> None:
        super().__init__(key)
        self.etag = etag


def space_for_readers() -> CloudSide | None:
    """The cloud side with the patience of somebody who waits for an answer; None where no Space is configured."""
    side = cloud()
    return None if side is None else replace(side, read_seconds=READER_SECONDS, attempts=READER_ATTEMPTS)


def by_blocks(*, file: StoredFile, side: Side, part: Part) -> Iterator[bytes]:
    """A part of a file from one side, verified."""
    at, readings = part.start, 0
    while at < part.end:
        rest, reached = part.behind(at), at
        chunks = side.read(key=file.key, start=rest.begins_at, length=rest.ends_at - rest.begins_at)
        try:
            for piece in blocks.checked(chunks=chunks, part=rest):
                at += len(piece)
                yield piece
        except BlockDamagedError as error:
            readings = 1 if at > reached else readings + 1
            logger.warning("block_damaged", key=file.key, error=str(error), reading=readings)
            if readings == READINGS:
                raise


def straight(*, file: StoredFile, side: CloudSide, start: int, end: int) -> Iterator[bytes]:
    """From the cloud: by blocks where their digests are known; else a whole file is kept from ending wrong.

    A part without digests is only as right as the Space says by its ETag.
    """
    part = blocks.covering(file=file, start=start, end=end) if start < end else None
    if part is not None:
        yield from by_blocks(file=file, side=side, part=part)
        return
    if not _vouches(file, side):
        raise MissingObjectError(file.key)
    chunks = side.read(key=file.key, start=start, length=end - start)
    if end - start < file.held_size:
        yield from chunks
        return
    digest, held = hashlib.sha256(), b""
    for chunk in chunks:
        digest.update(chunk)
        if held:
            yield held
        held = chunk
    if file.held_sha256 and digest.hexdigest() != file.held_sha256:
        logger.error("cloud_copy_damaged", key=file.key)
        raise DamagedError(file.key)
    yield held


def _vouches(file: StoredFile, side: CloudSide) -> bool:
    """By size alone where nobody has computed an ETag: for an upload that went past us and is still to be read."""
    found = side.head(key=file.key)
    if found is None or found.size != file.held_size:
        return False
    return not file.etags or found.etag in file.etags
