"""A file to be read anywhere, made of a source that can only be begun somewhere and read on."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Seekable(io.RawIOBase):
    """`size` bytes of which `begin(at)` gives those from `at` on, in chunks; what is read in a row is begun once."""

    def __init__(self, *, size: int, begin: Callable[[int], Iterator[bytes]]) -> None:
        super().__init__()
        self._size, self._begin = size, begin
        self._at = 0
        self._chunks: Iterator[bytes] | None = None
        self._chunks_at = -1
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; reading there begins anew, unless it is where the last read ended."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Some of the next bytes. Raises EOFError when the source ends before `size`, and what the source raises."""
        into = memoryview(buffer).cast("B")
        if self._at >= self._size or not into:
            return 0
        if self._chunks is None or self._chunks_at != self._at:
            self._stop()
            self._chunks, self._chunks_at = self._begin(self._at), self._at
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise EOFError(f"the source ended {self._size - self._at} bytes early")
            self._left = memoryview(chunk)
        count = min(len(into), len(self._left))
        into[:count] = self._left[:count]
        self._left = self._left[count:]
        self._at += count
        self._chunks_at = self._at
        return count

    def close(self) -> None:
        """Let the source go."""
        self._stop()
        super().close()

    def _stop(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        self._chunks, self._left = None, memoryview(b"")
