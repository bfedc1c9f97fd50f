"""Pieces of an upload on their way to the Space: gathered in files without a name, sealed where that was promised.

The pieces of a confidential upload are objects of their own until it is finished, each sealed under the upload's key
and bound to its place: sealed twice they would not be the same bytes, which a part sent again has to be.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self

from chatvista.foundation import master_keys
from chatvista.foundation.ciphers import SealBrokenError, Sealer, open_whole
from chatvista.foundation.master_keys import WrappedKey
from chatvista.foundation.problems import TransientError
from storage_sync.models import Upload
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import local
from storage_sync.sides.slices import window

PURPOSE = "uploads"
FOLDER = "uploads/"


@dataclass(frozen=True, slots=True)
class PieceSeal:
    """What seals and opens the pieces of one upload."""

    upload_id: uuid.UUID
    key: bytes = field(repr=False)

    def sealer(self, start: int) -> Sealer:
        """For the piece that begins there."""
        return Sealer(key=self.key, context=self._context(start))

    def opened(self, sealed: bytes, start: int) -> bytes:
        """Its plaintext. Raises SealBrokenError."""
        return open_whole(sealed, key=self.key, context=self._context(start))

    def _context(self, start: int) -> bytes:
        return self.upload_id.bytes + start.to_bytes(8, "big")


def new_seal_columns(upload_id: uuid.UUID) -> dict[str, Any]:
    """What the row of a confidential upload says of its fresh key."""
    wrapped = master_keys.wrap(purpose=PURPOSE, key=master_keys.new_key(), context=upload_id.bytes)
    return {"sealed_key": wrapped.wrapped, "seal_key_id": wrapped.key_id, "is_confidential": True}


def seal_of(upload: Upload) -> PieceSeal | None:
    """The seal of an upload; None for one that is not confidential. Raises PermanentError `encryption_key_unknown`."""
    if upload.sealed_key is None:
        return None
    wrapped = WrappedKey(key_id=upload.seal_key_id, wrapped=bytes(upload.sealed_key))
    return PieceSeal(upload.pk, master_keys.unwrap(purpose=PURPOSE, wrapped=wrapped, context=upload.pk.bytes))


class Spool:
    """One piece in a file without a name, gone with its last descriptor however this process ends.

    `size` counts what was written; what lies on the disk is longer where it is sealed.
    """

    def __init__(self, *, seal: PieceSeal | None, start: int) -> None:
        self.size = self.held_size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sealer = None if seal is None else seal.sealer(start)
        self._file: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, piece: memoryview) -> None:
        """Take bytes; OSError when the disk does not."""
        self.size += len(piece)
        self._keep(piece if self._sealer is None else memoryview(self._sealer.seal(piece)))

    def complete(self) -> bytes:
        """Nothing more comes; the MD5 of what lies there."""
        if self._sealer is not None:
            self._keep(memoryview(self._sealer.finish()))
            self._sealer = None
        return self._md5.digest()

    def source(self) -> BinaryIO:
        """What lies there, seekable."""
        return window(self._file.fileno(), 0, self.held_size)

    def close(self) -> None:
        """Forget it."""
        if self._file is not None:
            self._file.close()

    def _keep(self, piece: memoryview) -> None:
        if self._file is None:
            local().lay_out()
            self._file = tempfile.TemporaryFile(dir=local().root / "temp", buffering=0)  # noqa: SIM115  see `close`
        self._md5.update(piece)
        self.held_size += len(piece)
        while piece:
            piece = piece[self._file.write(piece) :]


def piece_prefix(upload: Upload) -> str:
    """Where the pieces of an upload lie."""
    return f"{FOLDER}{upload.pk}/"


def new_piece_key(upload: Upload, md5: bytes) -> str:
    """A name no piece ever had; it tells what must lie there."""
    return f"{piece_prefix(upload)}{uuid.uuid4().hex}-{md5.hex()}"


def read_piece(*, side: CloudSide, upload: Upload, key: str, size: int, start: int) -> bytes:
    """A piece as the client sent it. Raises TransientError `cloud_copy_damaged`, and what reading raises."""
    held, seal = b"".join(side.read(key=key)), seal_of(upload)
    if key.endswith(hashlib.md5(held, usedforsecurity=False).hexdigest()):
        try:
            plain = held if seal is None else seal.opened(held, start)
        except SealBrokenError:
            plain = b""
        if len(plain) == size:
            return plain
    raise TransientError("cloud_copy_damaged", "The Space did not keep what it was given.", retry_after=5)


def pieces_of(*, side: CloudSide, upload: Upload) -> Iterator[bytes]:
    """All of a confidential upload, piece by piece."""
    start = 0
    for part in upload.parts:
        yield read_piece(side=side, upload=upload, key=part["key"], size=part["size"], start=start)
        start += part["size"]
