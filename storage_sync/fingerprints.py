"""How bytes are recognised: the sha256 that is trusted, and the MD5s from which an object store makes its ETag.

An ETag is never taken for a checksum; it is only compared with what we computed ourselves from the same bytes. That is
why both kinds are computed in the one pass: a store reports the composite for what was put in parts, and the MD5 of the
whole for what was put at once or copied within the store. Where one is known to report that of the whole always, those
of parts say nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from storage_sync.arriving.lanes import Lane

PART_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024
PULSE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one pass over some bytes tells. `composite_md5` is S3's ETag of an object put in parts of 16 MiB,
    empty where it was not asked for.

    `blocks` holds the sha256 of every MiB one after another (32 bytes each; the last block may be shorter).
    """

    size: int
    sha256: str
    md5: str
    composite_md5: str
    blocks: bytes = field(default=b"", repr=False)

    @property
    def etags(self) -> frozenset[str]:
        """The ETags an object store may report for these bytes."""
        return frozenset({self.md5, self.composite_md5} - {""})


class Fingerprinting:
    """Computes a fingerprint while the bytes go by, in memory that does not grow with them.

    Args:
        in_lanes: let other threads compute what is not the sha256, from the second part on (a small file is not worth
            a thread). Then `result` or `stop` must be called, and chunks must not change after they were given.
        with_parts: compute the MD5s of parts; without, an empty one stands for each.
    """

    def __init__(self, *, in_lanes: bool = False, with_parts: bool = True) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._parts = _Pieces(PART_BYTES, _md5 if with_parts else _Nothing)
        self._blocks = _Pieces(BLOCK_BYTES, hashlib.sha256)
        self._in_lanes, self._with_parts = in_lanes, with_parts
        self._lanes: list[Lane] = []

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        if self._in_lanes and not self._lanes and self.size >= PART_BYTES:
            self._lanes = [Lane(self._md5.update), Lane(self._cut)]
        self.size += len(chunk)
        if self._lanes:
            kept = chunk if isinstance(chunk, bytes) else bytes(chunk)
            for lane in self._lanes:
                lane.give(kept)
        else:
            for taker in (self._md5, self._parts, self._blocks):
                taker.update(chunk)
        self._sha256.update(chunk)

    @property
    def part_md5s(self) -> Sequence[bytes]:
        """The MD5s of the parts that are complete, as far as they are computed."""
        return self._parts.closed

    def all_part_md5s(self) -> Sequence[bytes]:
        """Those of all parts, the last one as long as it is; once `result` was asked for."""
        return self._parts.digests()

    def result(self) -> Fingerprint:
        """The fingerprint of everything taken so far; nothing more may be taken afterwards where lanes are used."""
        self.stop()
        parts = self._parts.digests()
        composite = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
        return Fingerprint(
            size=self.size,
            sha256=self._sha256.hexdigest(),
            md5=self._md5.hexdigest(),
            composite_md5=f"{composite}-{len(parts)}" if self._with_parts else "",
            blocks=b"".join(self._blocks.digests()),
        )

    def stop(self) -> None:
        """End the lanes, once they have taken everything. May be called twice."""
        for lane in self._lanes:
            lane.close()

    def _cut(self, chunk: bytes) -> None:
        self._parts.update(chunk)
        self._blocks.update(chunk)


class _Digesting(Protocol):
    def update(self, data: memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


class _Nothing:
    """The digest of what nobody asks about."""

    def update(self, data: memoryview, /) -> None:
        pass

    def digest(self) -> bytes:
        return b""


def _md5() -> _Digesting:
    return hashlib.md5(usedforsecurity=False)


class _Pieces:
    """The digest of every piece of one size, the last as long as it is."""

    def __init__(self, size: int, begin: Callable[[], _Digesting]) -> None:
        self._size, self._begin = size, begin
        self._room = size
        self._open = begin()
        self.closed: list[bytes] = []

    def update(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while len(view) >= self._room:
            self._open.update(view[: self._room])
            view = view[self._room :]
            self.closed.append(self._open.digest())
            self._open = self._begin()
            self._room = self._size
        self._open.update(view)
        self._room -= len(view)

    def digests(self) -> list[bytes]:
        """Of everything taken so far; nothing at all is one empty piece."""
        if self._room < self._size or not self.closed:
            return [*self.closed, self._open.digest()]
        return list(self.closed)


def of_path(path: Path) -> Fingerprint:
    """The fingerprint of a file on disk; OSError when it cannot be read."""
    taking = Fingerprinting()
    with path.open("rb", buffering=0) as source:
        while block := source.read(BLOCK_BYTES):
            taking.update(block)
    return taking.result()


def sha256_of_path(path: Path, *, pulse: Callable[[], None] | None = None) -> str:
    """The sha256 of a file on disk, where the ETags are of no interest: about twice as fast.

    `pulse` is called after every 4 MiB; what it raises ends the reading.
    """
    with path.open("rb", buffering=0) as source:
        if pulse is None:
            return hashlib.file_digest(source, "sha256").hexdigest()
        digest = hashlib.sha256()
        while chunk := source.read(PULSE_BYTES):
            digest.update(chunk)
            pulse()
    return digest.hexdigest()
