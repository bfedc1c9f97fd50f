"""Sealing bytes: a framed form of AES-256-GCM in which every piece is verified as it is read, from any position.

A sealed content is a header of 8 bytes and frames of 64 KiB of plaintext, each with a random nonce before it and a tag
behind it. Header, number of the frame, whether it is the last one, and a context (whose bytes these are) are
authenticated with every frame: flipped, cut, reordered or swapped frames do not open. Nothing is one empty last frame.
The layout is written down in docs/adr/0005; where keys come from is in `master_keys`, the plaintext as a seekable file
in `unsealed`.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME_BYTES = 64 * 1024
HEADER = b"CVSEAL\x01\x10"  # magic, version 1, frames of 2**16 bytes
HEADER_BYTES = len(HEADER)
NONCE_BYTES, TAG_BYTES = 12, 16
OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
SEALED_FRAME_BYTES = FRAME_BYTES + OVERHEAD_BYTES


class SealBrokenError(OSError):
    """These are not the bytes that were sealed: changed, cut, moved, or of something else."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EIO, what)


def sealed_size(size: int) -> int:
    """How many bytes `size` bytes have when sealed."""
    return HEADER_BYTES + size + OVERHEAD_BYTES * frames_of(size)


def plain_size(sealed: int) -> int:
    """How many bytes were sealed, told by the size of what came of it. Raises SealBrokenError where none fits."""
    full, rest = divmod(sealed - HEADER_BYTES, SEALED_FRAME_BYTES)
    size = full * FRAME_BYTES + max(0, rest - OVERHEAD_BYTES)
    if sealed < HEADER_BYTES + OVERHEAD_BYTES or sealed_size(size) != sealed:
        raise SealBrokenError(f"{sealed} bytes are no whole number of frames")
    return size


def frames_of(size: int) -> int:
    """How many frames `size` bytes of plaintext fill."""
    return max(1, -(-size // FRAME_BYTES))


@dataclass(frozen=True, slots=True)
class Window:
    """Which sealed bytes hold a range of the plaintext, and what to cut off once they are open."""

    start: int
    length: int
    first_frame: int
    skip: int
    wanted: int


class Sealer:
    """Seals a stream as it goes by; the sealed bytes of one frame are held back until more is known to follow.

    Args:
        key: 32 bytes, of this content alone.
        context: whose bytes these are; the same is needed to open them.
    """

    def __init__(self, *, key: bytes, context: bytes) -> None:
        self._cipher, self._context = AESGCM(key), context
        self._number = 0
        self._held = bytearray()
        self._head = HEADER

    def seal(self, chunk: bytes | memoryview) -> bytes:
        """Take the next bytes; gives what is sealed for certain by now, often nothing."""
        view, sealed = memoryview(chunk).cast("B"), [self._take_head()]
        if self._held and len(self._held) + len(view) > FRAME_BYTES:
            room = FRAME_BYTES - len(self._held)
            self._held += view[:room]
            view = view[room:]
            sealed.append(self._frame(self._held, is_last=False))
            self._held = bytearray()
        while len(view) > FRAME_BYTES:
            sealed.append(self._frame(view[:FRAME_BYTES], is_last=False))
            view = view[FRAME_BYTES:]
        self._held += view
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The rest; nothing more may come."""
        return self._take_head() + self._frame(self._held, is_last=True)

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head

    def _frame(self, plain: bytearray | memoryview, *, is_last: bool) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        bound = _bound(self._number, is_last=is_last, context=self._context)
        self._number += 1
        return nonce + self._cipher.encrypt(nonce, plain, bound)


class Opener:
    """Opens frames of one sealed content of known size, wherever they are read from.

    Raises SealBrokenError when no content has that size.
    """

    def __init__(self, *, key: bytes, context: bytes, sealed_size: int) -> None:
        self._cipher, self._context = AESGCM(key), context
        self.sealed_size, self.size = sealed_size, plain_size(sealed_size)
        self._last = frames_of(self.size) - 1

    def window(self, start: int, length: int | None = None) -> Window:
        """The sealed bytes to read for [start, start + length) of the plaintext; `length` None is up to the end."""
        end = self.size if length is None else min(self.size, start + length)
        start = min(start, self.size)
        first = min(start // FRAME_BYTES, self._last)
        last = min(max(first, (end - 1) // FRAME_BYTES), self._last)
        # The header belongs to what is read from the beginning, so that it is verified, too.
        begins = HEADER_BYTES + first * SEALED_FRAME_BYTES if first else 0
        ends = min(self.sealed_size, HEADER_BYTES + (last + 1) * SEALED_FRAME_BYTES)
        return Window(begins, ends - begins, first, start - first * FRAME_BYTES, max(0, end - start))

    def stream(self, chunks: Iterable[bytes], window: Window) -> Iterator[bytes]:
        """The plaintext of a window, from the sealed bytes of it in chunks of any size; each frame verified first."""
        held, number, skip, left = bytearray(), window.first_frame, window.skip, window.wanted
        taken, has_head = 0, window.start > 0
        for chunk in chunks:
            held += chunk
            taken += len(chunk)
            if not has_head and len(held) >= HEADER_BYTES:
                require_header(held[:HEADER_BYTES])
                del held[:HEADER_BYTES]
                has_head = True
            # All that came, in whole frames; of the last window only when nothing is missing.
            whole = len(held) if taken >= window.length else len(held) // SEALED_FRAME_BYTES * SEALED_FRAME_BYTES
            if not has_head or not whole:
                continue
            plain = self.frames(memoryview(held)[:whole].tobytes(), first=number)
            number += -(-whole // SEALED_FRAME_BYTES)
            del held[:whole]
            piece = plain[skip : skip + left]
            skip, left = max(0, skip - len(plain)), left - len(piece)
            if piece:
                yield piece
        if taken != window.length:
            raise SealBrokenError(f"{window.length} sealed bytes were to come, {taken} came")

    def frames(self, sealed: bytes, *, first: int) -> bytes:
        """Open consecutive whole frames of which the first has that number."""
        view, opened = memoryview(sealed), []
        for number, at in enumerate(range(0, len(view), SEALED_FRAME_BYTES), start=first):
            frame = view[at : at + SEALED_FRAME_BYTES]
            is_last = number == self._last
            due = self.size - self._last * FRAME_BYTES if is_last else FRAME_BYTES
            if len(frame) != due + OVERHEAD_BYTES or number > self._last:
                raise SealBrokenError(f"frame {number} has {len(frame)} bytes")
            bound = _bound(number, is_last=is_last, context=self._context)
            try:
                opened.append(self._cipher.decrypt(frame[:NONCE_BYTES], frame[NONCE_BYTES:], bound))
            except InvalidTag as error:
                raise SealBrokenError(f"frame {number} does not open") from error
        return opened[0] if len(opened) == 1 else b"".join(opened)


def seal_whole(plain: bytes, *, key: bytes, context: bytes) -> bytes:
    """Something small, sealed at once."""
    sealer = Sealer(key=key, context=context)
    return sealer.seal(plain) + sealer.finish()


def open_whole(sealed: bytes, *, key: bytes, context: bytes) -> bytes:
    """What `seal_whole` was given. Raises SealBrokenError."""
    opener = Opener(key=key, context=context, sealed_size=len(sealed))
    return b"".join(opener.stream([sealed], opener.window(0)))


def _bound(number: int, *, is_last: bool, context: bytes) -> bytes:
    """What a frame's tag vouches for beside its bytes; of fixed length up to the context, so never ambiguous."""
    return HEADER + struct.pack(">Q?", number, is_last) + context


def require_header(found: bytes | bytearray) -> None:
    """Raise SealBrokenError unless these are the first bytes of something sealed."""
    if found != HEADER:
        raise SealBrokenError("this was not sealed here, or by a later version")
