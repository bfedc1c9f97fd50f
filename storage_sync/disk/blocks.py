"""Digests of blocks: the sha256 of every MiB as it lies on the sides, so that a part of a file is verified by itself.

Digests that are wrong or of other bytes cost time, never a file: a block that does not fit them only means that the
whole is to be looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import BinaryField
from django.db.models.functions import Substr

from storage_sync.fingerprints import BLOCK_BYTES
from storage_sync.models import BlockDigests, StoredFile

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

DIGEST_BYTES = 32


class BlockDamagedError(Exception):
    """A block is not what its digest says, or is missing."""


class Digesting:
    """Computes the digests while the bytes go by."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._room = BLOCK_BYTES
        self._done = bytearray()

    def update(self, chunk: ReadableBuffer) -> None:
        """Take the next bytes."""
        view = memoryview(chunk)
        while view:
            piece, view = view[: self._room], view[self._room :]
            self._digest.update(piece)
            self._room -= len(piece)
            if not self._room:
                self._close()

    def result(self) -> bytes:
        """32 bytes for each block of everything taken so far."""
        if self._room < BLOCK_BYTES:
            return bytes(self._done) + self._digest.digest()
        return bytes(self._done)

    def _close(self) -> None:
        self._done += self._digest.digest()
        self._digest, self._room = hashlib.sha256(), BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes `start` to `end` of a file, and the digests of the blocks they lie in, from number `first` on."""

    start: int
    end: int
    size: int
    first: int
    digests: tuple[bytes, ...]

    @property
    def begins_at(self) -> int:
        """Where the first of the blocks begins."""
        return self.first * BLOCK_BYTES

    @property
    def ends_at(self) -> int:
        """Where the last of the blocks ends."""
        return min(self.size, self.begins_at + len(self.digests) * BLOCK_BYTES)

    def behind(self, at: int) -> Part:
        """What is left of it from there on."""
        first = at // BLOCK_BYTES
        return Part(at, self.end, self.size, first, self.digests[first - self.first :])


def are_wanted(file: StoredFile) -> bool:
    """Whether digests of this file's blocks would be of use: below two blocks its sha256 does the same."""
    return file.held_size > BLOCK_BYTES


def keep(*, file: StoredFile, digests: bytes) -> None:
    """Write down the digests of bytes whose sha256 is the file's; those there are replaced. A row gone is fine."""
    if len(digests) != DIGEST_BYTES * _blocks_of(file.held_size) or not are_wanted(file):
        return
    with transaction.atomic():
        # The row is locked, so that nobody gives the file other bytes in between.
        if StoredFile.objects.select_for_update().filter(pk=file.pk, md5=file.md5, sha256=file.sha256).exists():
            BlockDigests.objects.update_or_create(file_id=file.pk, defaults={"digests": digests})


def are_known(file: StoredFile) -> bool:
    """Whether there are digests of this file's blocks."""
    return BlockDigests.objects.filter(file_id=file.pk).exists()


def covering(*, file: StoredFile, start: int, end: int) -> Part | None:
    """The digests for a part that is not empty, or None where they are not known."""
    first, last = start // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
    # Cut by the database: the digests of fifty gigabytes are more than a megabyte.
    cut = Substr("digests", first * DIGEST_BYTES + 1, (last - first + 1) * DIGEST_BYTES, output_field=BinaryField())
    rows = BlockDigests.objects.filter(file_id=file.pk, file__key=file.key).annotate(cut=cut)
    found = rows.values_list("cut", flat=True).first()
    if found is None or len(found) != (last - first + 1) * DIGEST_BYTES:
        return None
    raw = bytes(found)
    digests = tuple(raw[at : at + DIGEST_BYTES] for at in range(0, len(raw), DIGEST_BYTES))
    return Part(start, end, file.held_size, first, digests)


def checked(*, chunks: Iterator[bytes], part: Part) -> Iterator[bytes]:
    """The part, from chunks that are its blocks in order; each block is verified before any of it is given away.

    Raises BlockDamagedError.
    """
    at, held = part.begins_at, bytearray()
    for digest in part.digests:
        size = min(BLOCK_BYTES, part.ends_at - at)
        while len(held) < size:
            chunk = next(chunks, b"")
            if not chunk:
                raise BlockDamagedError(f"the block at {at} ends early")
            held += chunk
        block = bytes(memoryview(held)[:size])
        del held[:size]
        if hashlib.sha256(block).digest() != digest:
            raise BlockDamagedError(f"the block at {at} is damaged")
        yield block[max(0, part.start - at) : part.end - at]
        at += size


def of_path(path: Path) -> tuple[str, bytes]:
    """The sha256 of a file on disk and the digests of its blocks, in one pass; OSError when it cannot be read."""
    whole, blocks = hashlib.sha256(), Digesting()
    with path.open("rb", buffering=0) as source:
        while block := source.read(BLOCK_BYTES):
            whole.update(block)
            blocks.update(block)
    return whole.hexdigest(), blocks.result()


def _blocks_of(size: int) -> int:
    return -(-size // BLOCK_BYTES)
