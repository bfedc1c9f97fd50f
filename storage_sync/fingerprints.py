"""How bytes are recognised: the sha256 that is trusted, and the MD5s from which an object store makes its ETag.

An ETag is never taken for a checksum; it is only compared with what we computed ourselves from the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PART_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one pass over some bytes tells. `composite_md5` is S3's ETag of an object put in parts of 16 MiB."""

    size: int
    sha256: str
    md5: str
    composite_md5: str

    @property
    def etags(self) -> frozenset[str]:
        """The ETags an object store may report for these bytes."""
        return frozenset({self.md5, self.composite_md5})


class Fingerprinting:
    """Computes a fingerprint while the bytes go by, in memory that does not grow with them."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._part = hashlib.md5(usedforsecurity=False)
        self._room = PART_BYTES
        self._parts: list[bytes] = []

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        view = memoryview(chunk)
        self.size += len(view)
        self._sha256.update(view)
        self._md5.update(view)
        while len(view) >= self._room:
            self._part.update(view[: self._room])
            view = view[self._room :]
            self._close_part()
        self._part.update(view)
        self._room -= len(view)

    def result(self) -> Fingerprint:
        """The fingerprint of everything taken so far."""
        parts = list(self._parts)
        if self._room < PART_BYTES or not parts:
            parts.append(self._part.digest())
        composite = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
        return Fingerprint(
            size=self.size,
            sha256=self._sha256.hexdigest(),
            md5=self._md5.hexdigest(),
            composite_md5=f"{composite}-{len(parts)}",
        )

    def _close_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part = hashlib.md5(usedforsecurity=False)
        self._room = PART_BYTES


def of_path(path: Path) -> Fingerprint:
    """The fingerprint of a file on disk; OSError when it cannot be read."""
    taking = Fingerprinting()
    with path.open("rb", buffering=0) as source:
        while block := source.read(BLOCK_BYTES):
            taking.update(block)
    return taking.result()


def sha256_of_path(path: Path) -> str:
    """The sha256 of a file on disk, where the ETags are of no interest: about twice as fast."""
    with path.open("rb", buffering=0) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
