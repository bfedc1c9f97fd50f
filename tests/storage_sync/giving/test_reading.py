"""Every reader detects a flipped bit, heals it from the other side, and tells the ledger (guarantee G4)."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem, TransientError
from storage_sync import fingerprints
from storage_sync.disk import fetching
from storage_sync.giving import reading, streaming
from storage_sync.models import BlockDigests, Copy, StoredFile
from storage_sync.sides.cloud import CloudSide
from tests.storage_sync.making import (
    WORDS,
    flip_a_bit,
    names_below,
    on_disk,
    overwrite,
    put_in_cloud,
    space,
    state_of_copies,
    store,
)

pytestmark = pytest.mark.django_db


def away(settings: Settings) -> None:
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"


def test_a_good_local_copy_needs_no_cloud(storeroom: Path, settings: Settings) -> None:
    file = store()
    away(settings)
    assert reading.local_path(file).read_bytes() == WORDS


def test_the_sha256_is_computed_once_per_process(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    computed: list[Path] = []
    honest = fingerprints.sha256_of_path

    def count(path: Path) -> str:
        computed.append(path)
        return honest(path)

    monkeypatch.setattr(fingerprints, "sha256_of_path", count)
    for _ in range(3):
        reading.local_path(file)
    assert computed == [on_disk(file)]


def test_a_missing_local_copy_is_fetched(storeroom: Path) -> None:
    file = store()
    on_disk(file).unlink()
    assert reading.local_path(file).read_bytes() == WORDS
    assert on_disk(file).stat().st_mode & 0o777 == 0o444
    assert names_below(storeroom) == [file.key]


@pytest.mark.parametrize("bad", [flip_a_bit(WORDS), WORDS[:-1], WORDS + b"x", b""])
def test_a_damaged_local_copy_is_put_aside_and_healed(storeroom: Path, bad: bytes) -> None:
    file = store()
    assert reading.local_path(file)
    overwrite(on_disk(file), bad)
    assert reading.local_path(file).read_bytes() == WORDS
    [kept] = (storeroom / "quarantine").iterdir()
    assert kept.read_bytes() == bad
    assert state_of_copies(file) == {"local": "present", "cloud": "present"}


def test_a_damaged_local_copy_is_not_served_while_the_cloud_is_away(storeroom: Path, settings: Settings) -> None:
    file = store()
    overwrite(on_disk(file), flip_a_bit(WORDS))
    there = settings.SPACES_ENDPOINT
    away(settings)
    with pytest.raises(Problem) as caught:
        reading.local_path(file)
    assert (caught.value.status, caught.value.code) == (503, "storage_unavailable")
    assert state_of_copies(file)["local"] == "corrupt"
    settings.SPACES_ENDPOINT = there
    assert reading.local_path(file).read_bytes() == WORDS


def test_when_both_sides_are_wrong_the_file_is_lost_and_says_so(storeroom: Path) -> None:
    file = store()
    overwrite(on_disk(file), flip_a_bit(WORDS))
    put_in_cloud(file.key, flip_a_bit(WORDS))
    with pytest.raises(Problem) as caught:
        reading.local_path(file)
    assert (caught.value.status, caught.value.code) == (410, "file_lost")
    now = StoredFile.objects.get()
    assert (now.state, now.durability) == ("lost", "none")
    assert state_of_copies(file) == {"local": "corrupt", "cloud": "corrupt"}
    with pytest.raises(Problem, match="file_lost"):
        reading.local_path(now)
    assert on_disk(file).read_bytes() == flip_a_bit(WORDS), "it may be the best there is"


def test_when_both_sides_are_empty_the_file_is_lost(storeroom: Path) -> None:
    file = store()
    on_disk(file).unlink()
    space().delete(key=file.key)
    with pytest.raises(Problem, match="file_lost"):
        reading.local_path(file)
    assert state_of_copies(file) == {"local": "missing", "cloud": "missing"}


def test_a_copy_on_another_node_keeps_a_file_from_being_lost(storeroom: Path) -> None:
    file = store()
    Copy.objects.filter(side="local").update(node="another")
    on_disk(file).unlink()
    space().delete(key=file.key)
    with pytest.raises(Problem) as caught:
        reading.local_path(file)
    assert caught.value.status == 503
    assert StoredFile.objects.get().state == "stored"


@pytest.mark.parametrize(
    ("state", "status"), [("reserved", 404), ("abandoned", 404), ("purging", 410), ("purged", 410)]
)
def test_only_stored_and_archived_files_are_read(storeroom: Path, state: str, status: int) -> None:
    file = store()
    file.state = state
    with pytest.raises(Problem) as caught:
        reading.local_path(file)
    assert caught.value.status == status


def test_a_connection_that_breaks_is_taken_up_where_it_broke(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 8192
    file = store(data)
    on_disk(file).unlink()
    honest, asked = CloudSide._get, []

    def break_twice(side: CloudSide, key: str, start: int, end: int | None) -> Any:
        answer = honest(side, key, start, end)
        asked.append(start)
        if len(asked) < 3:
            whole = answer["Body"]
            answer["Body"] = Breaking(whole)
        return answer

    monkeypatch.setattr(CloudSide, "_get", break_twice)
    assert reading.local_path(file).read_bytes() == data
    assert asked[0] == 0 < asked[1] < asked[2]


class Breaking:
    """A body whose connection is reset after its first chunk."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield self.body.read(size)
        raise ConnectionResetError(104, "Connection reset by peer")

    def close(self) -> None:
        self.body.close()


@pytest.mark.django_db(transaction=True)
def test_many_readers_cause_one_fetch(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store(WORDS * 1000)
    overwrite(on_disk(file), flip_a_bit(WORDS * 1000))
    fetched: list[str] = []
    honest = fetching._bring_once

    def count(file: StoredFile, side: CloudSide) -> None:
        fetched.append(file.key)
        honest(file, side)

    monkeypatch.setattr(fetching, "_bring_once", count)
    start, read = threading.Barrier(8), []

    def be_a_reader() -> None:
        try:
            start.wait()
            read.append(reading.local_path(file).read_bytes() == WORDS * 1000)
        finally:
            connections.close_all()

    readers = [threading.Thread(target=be_a_reader) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert read == [True] * 8
    assert len(fetched) == 1


def test_without_room_on_the_disk_it_is_streamed_from_the_cloud(storeroom: Path, settings: Settings) -> None:
    data = WORDS * 1000
    file = store(data)
    on_disk(file).unlink()
    settings.DISK_RESERVE_BYTES = 2**60
    assert b"".join(reading.stream(file)) == data
    assert b"".join(reading.stream(file, start=100, length=50)) == data[100:150]
    assert names_below(storeroom) == []


def test_a_damaged_object_never_streams_to_its_end(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = WORDS * 1000
    file = store(data)
    on_disk(file).unlink()
    put_in_cloud(file.key, flip_a_bit(data))
    settings.DISK_RESERVE_BYTES = 2**60
    with pytest.raises(Problem, match="storage_unavailable"):
        list(reading.stream(file))
    BlockDigests.objects.all().delete()
    monkeypatch.setattr(streaming, "_vouches", lambda *rest: True)
    got = bytearray()

    def take() -> None:
        for chunk in reading.stream(file):
            got.extend(chunk)

    with pytest.raises(streaming.DamagedError):
        take()
    assert len(got) < len(data)


@pytest.mark.parametrize(("number", "is_healed"), [(errno.EIO, True), (errno.EMFILE, False)])
def test_a_sector_that_cannot_be_read_is_healed_but_a_busy_process_is_not_mistaken_for_one(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_healed: bool
) -> None:
    file = store()

    def fail(path: Path) -> str:
        raise OSError(number, "the disk said no")

    monkeypatch.setattr(fingerprints, "sha256_of_path", fail)
    if is_healed:
        assert reading.local_path(file).read_bytes() == WORDS
    else:
        with pytest.raises(Problem, match="storage_unavailable"):
            reading.local_path(file)
        assert b"".join(reading.stream(file)) == WORDS
    assert len(list((storeroom / "quarantine").iterdir())) == is_healed


def test_a_cloud_that_fails_midway_leaves_no_local_name(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    on_disk(file).unlink()

    def fail(side: CloudSide, **rest: Any) -> Iterator[bytes]:
        yield WORDS[:100]
        raise TransientError("cloud_unavailable", "gone")

    monkeypatch.setattr(CloudSide, "read", fail)
    with pytest.raises(Problem, match="storage_unavailable"):
        reading.local_path(file)
    assert names_below(storeroom) == []
