"""Whether a place has a file's bytes now: by size and ETag where that is proof, else by reading them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from storage_sync.disk import blocks
from storage_sync.inspecting.places import Place
from storage_sync.models import StoredFile
from storage_sync.sides.contract import MissingObjectError, nothing


class Truth(StrEnum):
    """What a look at one key told."""

    RIGHT = "right"
    WRONG = "wrong"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over some bytes told; `digests` are those of its blocks."""

    size: int
    sha256: str
    digests: bytes

    def is_of(self, file: StoredFile) -> bool:
        """Whether these are the bytes of a file whose sha256 is known."""
        return (self.size, self.sha256) == (file.held_size, file.held_sha256)


def look(*, place: Place, file: StoredFile, thoroughly: bool = False, pulse: Callable[[], None] = nothing) -> Truth:
    """What lies at a file's key. Raises TransientError, PermanentError while the place cannot tell.

    An ETag that our own MD5s account for is proof of what arrived there; one they do not account for proves nothing,
    since stores make them differently: then the bytes are read. `thoroughly` they are read in any case, since bytes may
    rot behind the ETag they came with.
    """
    found = place.side.head(key=file.key)
    if found is None:
        return Truth.ABSENT
    if found.size != file.held_size:
        return Truth.WRONG
    if not thoroughly and found.etag is not None and found.etag in file.etags:
        return Truth.RIGHT
    doubtful = found.etag is not None and bool(file.etags)
    return read_right(place=place, file=file, pulse=pulse) if thoroughly or doubtful else Truth.RIGHT


def read_right(*, place: Place, file: StoredFile, pulse: Callable[[], None] = nothing) -> Truth:
    """The same by reading every byte, twice before they are called wrong: the way here may have been at fault.

    Right by size alone where nobody knows the sha256 yet.
    """
    for _ in range(2):
        try:
            reading = read(place=place, key=file.key, most=file.held_size, pulse=pulse)
        except MissingObjectError:
            return Truth.ABSENT
        if reading.is_of(file) or (file.held_sha256 is None and reading.size == file.held_size):
            return Truth.RIGHT
    return Truth.WRONG


def read(
    *, place: Place, key: str, most: int, pulse: Callable[[], None] = nothing, rate: float | None = None
) -> Reading:
    """Read one key to its end, or until it is longer than `most`; at most `rate` bytes a second."""
    whole, digesting = hashlib.sha256(), blocks.Digesting()
    size, began = 0, time.monotonic()
    for chunk in place.side.read(key=key):
        size += len(chunk)
        if size > most:
            break
        whole.update(chunk)
        digesting.update(chunk)
        pulse()
        if rate is not None:
            time.sleep(max(0.0, size / rate - (time.monotonic() - began)))
    return Reading(size, whole.hexdigest(), digesting.result())
