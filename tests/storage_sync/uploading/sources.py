"""Bodies of requests, also such as break off, stop, or wait to be told to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from chatvista.foundation.problems import Problem
from storage_sync.models import Upload
from storage_sync.sides.cloud import cloud
from storage_sync.sides.multiparts import Multipart

MIB = 1024 * 1024
PART = MIB // 2
"""Where uploads are cut in these tests."""


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that differ everywhere, made quickly."""
    block = b"".join((seed * 1_000_003 + at * 2_654_435_761 & 0xFFFFFFFF).to_bytes(4, "big") for at in range(64 * 1024))
    return (block * (size // len(block) + 1))[:size]


class Sent:
    """A body; `before(at)` is called before the bytes at that position are given."""

    def __init__(
        self, data: bytes, *, announced: int | None = None, before: Callable[[int], None] = lambda at: None
    ) -> None:
        self.announced: int | None = len(data) if announced is None else announced
        self._data, self._at, self._before = data, 0, before

    def read(self, size: int) -> bytes:
        """The next bytes."""
        self._before(self._at)
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


class Chunked(Sent):
    """A body whose length nobody said."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.announced = None


def breaking_at(position: int) -> Callable[[int], None]:
    """The connection breaks there."""

    def look(at: int) -> None:
        if at >= position:
            raise Problem("body_cut_short", "broken")

    return look


class Gate:
    """Lets a body stop until it is opened."""

    def __init__(self, position: int = 1) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._position = position

    def __call__(self, at: int) -> None:
        if at >= self._position:
            self.reached.set()
            assert self.opened.wait(30)


def parts_of(upload: Upload) -> list[tuple[int, int]]:
    """What the Space has of an upload: number and size."""
    side = cloud()
    assert side is not None
    return [(part.number, part.size) for part in Multipart(side, upload.key, upload.multipart_id).parts()]
