"""Parts of a file as bodies of requests: read where they lie, so that sending many parts needs no memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 64 * 1024
"""Clients take it by 16 KiB. A buffer that stays in the processor's cache saves a tenth of an upload's time."""


class Slice(io.RawIOBase):
    """A readable, seekable window on an open file. Windows of one file may be read by several threads at once."""

    def __init__(self, descriptor: int, start: int, length: int) -> None:
        super().__init__()
        self._descriptor, self._start, self._length, self._at = descriptor, start, length, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: a request is hashed before it is sent, and sent again when it failed."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the window."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, min(self._length, base + offset))
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with as much as is left."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._length - self._at)
        got = os.preadv(self._descriptor, [view[:wanted]], self._start + self._at) if wanted > 0 else 0
        if wanted > 0 and got == 0:
            raise ValueError("the source ended early")
        self._at += got
        return got


def window(descriptor: int, start: int, length: int) -> io.BufferedReader:
    """A part of an open file as a body; the descriptor stays the caller's."""
    return io.BufferedReader(Slice(descriptor, start, length), BUFFER_BYTES)


def slices_of(source: BinaryIO, size: int, part: int) -> Iterator[BinaryIO]:
    """`size` bytes of a source from where it stands, in parts: windows of a real file, or copies of anything else."""
    try:
        descriptor, start = source.fileno(), source.tell()
    except (OSError, AttributeError):
        for offset in range(0, max(size, 1), part):
            yield _taken(source, min(part, size - offset))
        return
    for offset in range(0, max(size, 1), part):
        yield window(descriptor, start + offset, min(part, size - offset))


def _taken(source: BinaryIO, size: int) -> BinaryIO:
    raw = source.read(size)
    if len(raw) != size:
        raise ValueError(f"the source ended {size - len(raw)} bytes early")
    return io.BytesIO(raw)
