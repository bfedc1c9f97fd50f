"""What every side promises; one test-suite holds all of them to it.

A key is absent or complete: a put that fails, is cut or is killed leaves nothing at it. A put never replaces what is
there. What fails for a while raises TransientError, what needs somebody to change something PermanentError.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

CHUNK_BYTES = 256 * 1024
PAGE_KEYS = 1000


class MissingObjectError(FileNotFoundError):
    """There is nothing at that key."""


class OccupiedKeyError(FileExistsError):
    """There is something at that key already, and it stays."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a side says about one key. `etag` is None where the side knows no such thing."""

    key: str
    size: int
    modified_at: dt.datetime
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some keys in order; `after` continues the list, and is None on its last page."""

    found: list[Found]
    after: str | None


def nothing() -> None:
    """The pulse of a caller who holds no lease."""


class Side(Protocol):
    """A place that holds bytes by key."""

    def put(
        self, *, key: str, source: BinaryIO, size: int, content_type: str, pulse: Callable[[], None] = nothing
    ) -> None:
        """Store `size` bytes of a seekable source from where it stands.

        `pulse` is called in the caller's thread every few seconds at most; what it raises ends the put. Raises
        OccupiedKeyError, ValueError when the source ends early, TransientError, PermanentError.
        """

    def read(self, *, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start`, in chunks; raises MissingObjectError or TransientError before or between them."""

    def head(self, *, key: str) -> Found | None:
        """What lies there, or None."""

    def delete(self, *, key: str) -> None:
        """Remove what lies there; nothing there is fine."""

    def copy(self, *, key: str, to: str) -> None:
        """Let the same bytes be at a second key. Raises MissingObjectError, OccupiedKeyError."""

    def page(self, *, prefix: str = "", after: str | None = None, limit: int = PAGE_KEYS) -> Page:
        """Keys that begin with `prefix`, in order, from behind `after`."""


def move(side: Side, *, key: str, to: str) -> None:
    """Bring the bytes to another key: they are at one of the two, or at both, at every moment."""
    side.copy(key=key, to=to)
    side.delete(key=key)
