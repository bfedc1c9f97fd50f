"""The contract every side is held to: the disk and the real S3 server alike."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import pytest

from chatvista.foundation.problems import WorkError
from storage_sync.fingerprints import PART_BYTES
from storage_sync.sides.contract import MissingObjectError, OccupiedKeyError, Side, move
from storage_sync.sides.local import local
from tests.storage_sync.making import space

KEY = "recordings/2026/11/one/first.bin"
OTHER = "archive/recordings/2026/11/one/first.bin"


@pytest.fixture(params=["local", "cloud"])
def side(request: pytest.FixtureRequest, storeroom: Path) -> Side:
    made: Side = local() if request.param == "local" else space()
    return made


def put(side: Side, data: bytes, key: str = KEY) -> None:
    side.put(key=key, source=io.BytesIO(data), size=len(data), content_type="audio/flac")


def get(side: Side, key: str = KEY, **part: Any) -> bytes:
    return b"".join(side.read(key=key, **part))


@pytest.mark.parametrize("size", [0, 1, 300_000, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7])
def test_what_was_put_is_read(side: Side, size: int) -> None:
    data = os.urandom(size)
    put(side, data)
    assert get(side) == data
    found = side.head(key=KEY)
    assert found is not None
    assert found.size == size


def test_a_file_is_put_from_where_it_stands(side: Side, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"skipped" + b"x" * 1000 + b"left")
    with path.open("rb") as source:
        source.seek(7)
        side.put(key=KEY, source=source, size=1000, content_type="audio/flac")
    assert get(side) == b"x" * 1000


@pytest.mark.parametrize(
    ("start", "length"), [(0, None), (0, 10), (5, 10), (990, None), (990, 500), (1000, None), (2000, 5), (5, 0)]
)
def test_a_part_is_read(side: Side, start: int, length: int | None) -> None:
    data = os.urandom(1000)
    put(side, data)
    end = None if length is None else start + length
    assert get(side, start=start, length=length) == data[start:end]


def test_what_is_there_is_never_replaced(side: Side) -> None:
    put(side, b"first")
    with pytest.raises(OccupiedKeyError):
        put(side, b"second")
    assert get(side) == b"first"


@pytest.mark.parametrize("size", [1000, PART_BYTES + 1000])
def test_a_source_that_ends_early_leaves_nothing(side: Side, size: int, storeroom: Path) -> None:
    with pytest.raises((ValueError, WorkError)):
        side.put(key=KEY, source=io.BytesIO(bytes(size - 1)), size=size, content_type="audio/flac")
    assert side.head(key=KEY) is None
    assert not list((storeroom / "temp").glob("*"))


class Interruption(BaseException):
    """Stands for a signal."""


@pytest.mark.parametrize("size", [1000, 3 * PART_BYTES])
def test_a_put_that_is_interrupted_leaves_nothing(
    side: Side, size: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise Interruption
            return super().read(size if size is None or size < 0 else size // 2 or 1)

    with pytest.raises((Interruption, ValueError)):
        side.put(key=KEY, source=Cut(bytes(size)), size=size, content_type="audio/flac")
    assert side.head(key=KEY) is None
    assert not list((storeroom / "temp").glob("*"))
    client = space().client
    # The S3 server of the tests says so, where it has never seen an upload.
    with contextlib.suppress(client.exceptions.NoSuchUpload):
        assert not client.list_multipart_uploads(Bucket=space().space.bucket).get("Uploads")


def test_the_pulse_can_end_a_put(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage_sync.sides.local.PULSE_SECONDS", 0.0)

    def stop() -> None:
        raise Interruption

    with pytest.raises(Interruption):
        side.put(
            key=KEY, source=io.BytesIO(bytes(3 * PART_BYTES)), size=3 * PART_BYTES, content_type="a/b", pulse=stop
        )  # fmt: skip
    assert side.head(key=KEY) is None


def test_nothing_there_is_nothing(side: Side) -> None:
    assert side.head(key=KEY) is None
    with pytest.raises(MissingObjectError):
        get(side)
    with pytest.raises(MissingObjectError):
        side.copy(key=KEY, to=OTHER)
    side.delete(key=KEY)


def test_deleting_twice_is_fine(side: Side) -> None:
    put(side, b"bytes")
    side.delete(key=KEY)
    side.delete(key=KEY)
    assert side.head(key=KEY) is None


def test_a_copy_is_at_both_keys_and_replaces_nothing(side: Side) -> None:
    put(side, b"bytes")
    side.copy(key=KEY, to=OTHER)
    assert get(side) == get(side, OTHER) == b"bytes"
    with pytest.raises(OccupiedKeyError):
        side.copy(key=KEY, to=OTHER)


def test_moving_leaves_the_old_key_empty(side: Side) -> None:
    put(side, b"bytes")
    move(side, key=KEY, to=OTHER)
    assert side.head(key=KEY) is None
    assert get(side, OTHER) == b"bytes"


def test_pages_list_every_key_once_and_in_order(side: Side) -> None:
    made = [f"recordings/2026/11/{name}" for name in ("a/1.x", "a/2.x", "a-b/1.x", "b/1", "c/1", "c/10", "c/2")]
    for key in made:
        put(side, b"x", key)
    put(side, b"x", "minutes/2026/11/z/1")
    listed: list[str] = []
    after: str | None = None
    while True:
        page = side.page(prefix="recordings/", after=after, limit=2)
        listed += [found.key for found in page.found]
        after = page.after
        if after is None:
            break
    assert listed == sorted(made)
    assert [found.key for found in side.page(prefix="recordings/2026/11/c/1").found] == made[4:6]


@pytest.mark.parametrize("key", ["../escape", "/etc/passwd", "a/../../b", "a/.b", "a\x00b", ""])
def test_no_key_leads_out_of_a_side(side: Side, key: str, tmp_path: Path) -> None:
    for act in (
        lambda: put(side, b"x", key),
        lambda: get(side, key),
        lambda: side.head(key=key),
        lambda: side.delete(key=key),
        lambda: side.copy(key=KEY, to=key),
    ):
        with pytest.raises(ValueError, match="not a key"):
            act()
    assert not (tmp_path / "escape").exists()
