"""The plaintext of something sealed as a seekable file, opened frame by frame as it is read."""

from __future__ import annotations

import errno
import io
from typing import BinaryIO

from chatvista.foundation.ciphers import (
    FRAME_BYTES,
    HEADER_BYTES,
    Opener,
    SealBrokenError,
    require_header,
)

FRAMES_AT_ONCE = 16


class _Unsealed(io.RawIOBase):
    """The plaintext of a sealed source as a seekable file; closes the source with itself."""

    def __init__(self, source: BinaryIO, opener: Opener) -> None:
        super().__init__()
        self._source, self._opener = source, opener
        self._at, self._from, self._open = 0, 0, b""
        source.seek(0)
        require_header(_exactly(source, HEADER_BYTES))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._opener.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed: a Buffer
        if self._at >= self._opener.size:
            self._require_end()
            return 0
        skip = self._at - self._from
        if not 0 <= skip < len(self._open):
            self._fill(len(into))
            skip = self._at - self._from
        piece = memoryview(self._open)[skip : skip + len(into)]
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _fill(self, wanted: int) -> None:
        window = self._opener.window(self._at, min(max(wanted, 1), FRAMES_AT_ONCE * FRAME_BYTES))
        start = max(window.start, HEADER_BYTES)
        self._source.seek(start)
        sealed = _exactly(self._source, window.start + window.length - start)
        self._open = self._opener.frames(sealed, first=window.first_frame)
        self._from = window.first_frame * FRAME_BYTES

    def _require_end(self) -> None:
        """Nothing is a frame, too: an empty content is as good as its tag."""
        if self._opener.size == 0 and not self._open:
            self._fill(0)


def unsealed(source: BinaryIO, *, key: bytes, context: bytes, sealed_size: int) -> io.BufferedReader:
    """The plaintext of `sealed_size` bytes of a seekable source, itself seekable; closing it closes the source.

    Raises SealBrokenError, here or at a read, for bytes that were not sealed by this key in this context.
    """
    opener = Opener(key=key, context=context, sealed_size=sealed_size)
    return io.BufferedReader(_Unsealed(source, opener), buffer_size=FRAME_BYTES)


def _exactly(source: BinaryIO, length: int) -> bytes:
    found = bytearray()
    while len(found) < length and (piece := source.read(length - len(found))):
        found += piece
    if len(found) != length:
        raise SealBrokenError(f"{length} sealed bytes were to be read, {len(found)} came")
    return bytes(found)
