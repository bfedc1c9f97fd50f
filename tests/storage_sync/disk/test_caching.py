"""Eviction: the least recently read first, and never a byte that the Space does not surely hold."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from storage_sync.disk import caching, evicting
from storage_sync.disk.locking import alone_on_node
from storage_sync.giving import reading
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving
from storage_sync.sides.local import LocalSide, local
from tests.storage_sync.making import names_below, on_disk, put_in_cloud, space, state_of_copies, store

pytestmark = pytest.mark.django_db
KIB = 1024


@pytest.fixture
def capacity(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Call it to let the disk have that many bytes; what lies in the tree takes its size."""

    def have(size: int) -> None:
        monkeypatch.setattr(LocalSide, "total_bytes", lambda side: size)
        monkeypatch.setattr(
            LocalSide, "free_bytes", lambda side: size - sum(cached.size for cached in evicting.files_here())
        )

    return have


def stored(*read_ago: int, size: int = 100 * KIB) -> list[StoredFile]:
    """A file for each number of seconds since it was last read."""
    files = []
    for ago in read_ago:
        file = store(os.urandom(size))
        facts = on_disk(file).stat()
        os.utime(on_disk(file), ns=(time.time_ns() - ago * 10**9, facts.st_mtime_ns))
        files.append(file)
    return files


def are_here(*files: StoredFile) -> list[bool]:
    return [on_disk(file).exists() for file in files]


def test_a_read_is_noted_in_the_atime_once_a_minute_and_nowhere_else(storeroom: Path) -> None:
    [file] = stored(1000)
    before = on_disk(file).stat()
    reading.local_path(file)
    after = on_disk(file).stat()
    assert after.st_atime > before.st_atime + 900
    assert after.st_mtime_ns == before.st_mtime_ns
    caching.touch(on_disk(file))
    assert on_disk(file).stat().st_atime_ns == after.st_atime_ns


def test_the_least_recently_read_goes_first(capacity: Callable[[int], None]) -> None:
    oldest, old, new = stored(3000, 2000, 1000)
    capacity(320 * KIB)
    assert caching.make_room(bytes_needed=100 * KIB) == 100 * KIB
    assert are_here(oldest, old, new) == [False, True, True]
    copy = Copy.objects.get(file=oldest, side="local")
    assert (copy.state, copy.next_attempt_at) == ("missing", None)
    assert StoredFile.objects.get(pk=oldest.pk).durability == "cloud"
    assert reading.local_path(oldest).read_bytes()
    assert are_here(oldest) == [True]


def test_reading_makes_a_file_the_last_to_go(capacity: Callable[[int], None]) -> None:
    oldest, old = stored(3000, 2000)
    reading.opened(oldest).close()
    capacity(200 * KIB)
    caching.make_room(bytes_needed=50 * KIB)
    assert are_here(oldest, old) == [True, False]


def test_enough_room_costs_nothing(capacity: Callable[[int], None]) -> None:
    [file] = stored(100)
    capacity(500 * KIB)
    assert caching.make_room(bytes_needed=400 * KIB) == 0
    assert are_here(file) == [True]


def test_where_it_could_never_be_enough_nothing_goes(capacity: Callable[[int], None], settings: Settings) -> None:
    [file] = stored(100)
    capacity(200 * KIB)
    assert caching.make_room(bytes_needed=201 * KIB) == 0
    settings.DISK_RESERVE_BYTES = 2**60
    assert caching.make_room(bytes_needed=1) == 0
    assert are_here(file) == [True]


def unverified(file: StoredFile) -> None:
    Copy.objects.filter(file=file, side="cloud").update(state="pending")


def condemned(file: StoredFile) -> None:
    Copy.objects.filter(file=file, side="cloud").update(state="corrupt")


def without_a_row(file: StoredFile) -> None:
    Copy.objects.filter(file=file, side="cloud").delete()


def gone_behind_our_back(file: StoredFile) -> None:
    space().delete(key=file.key)


def cut_behind_our_back(file: StoredFile) -> None:
    put_in_cloud(file.key, b"short")


def replaced_behind_our_back(file: StoredFile) -> None:
    put_in_cloud(file.key, b"x" * file.size)


def being_made(file: StoredFile) -> None:
    Copy.objects.filter(file=file, side="cloud").update(lease_token=uuid.uuid4(), lease_until=in_seconds(60))


def local_copy_due(file: StoredFile) -> None:
    Copy.objects.filter(file=file, side="local").update(state="pending", next_attempt_at=Now())


def reserved(file: StoredFile) -> None:
    StoredFile.objects.filter(pk=file.pk).update(
        state="reserved", lease_token=uuid.uuid4(), lease_until=in_seconds(60)
    )  # fmt: skip


def lost(file: StoredFile) -> None:
    StoredFile.objects.filter(pk=file.pk).update(state="lost")


@pytest.mark.parametrize(
    "spoil",
    [unverified, condemned, without_a_row, gone_behind_our_back, cut_behind_our_back, replaced_behind_our_back,
     being_made, local_copy_due, reserved, lost],
)  # fmt: skip
def test_what_the_space_does_not_surely_hold_stays(
    capacity: Callable[[int], None], spoil: Callable[[StoredFile], None]
) -> None:
    precious, other = stored(3000, 1000)
    spoil(precious)
    capacity(200 * KIB)
    assert caching.make_room(bytes_needed=60 * KIB) == 100 * KIB
    assert are_here(precious, other) == [True, False]
    assert caching.make_room(bytes_needed=110 * KIB) == 0
    assert are_here(precious) == [True]


def test_while_the_space_is_away_everything_stays(capacity: Callable[[int], None], settings: Settings) -> None:
    files = stored(3000, 2000)
    capacity(200 * KIB)
    there = settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert caching.make_room(bytes_needed=50 * KIB) == 0
    settings.SPACES_ENDPOINT = ""
    assert caching.make_room(bytes_needed=50 * KIB) == 0
    assert are_here(*files) == [True, True]
    assert [state_of_copies(file)["local"] for file in files] == ["present", "present"]
    settings.SPACES_ENDPOINT = there


def test_who_is_reading_goes_on_reading(capacity: Callable[[int], None]) -> None:
    [file] = stored(3000, size=900 * KIB)
    with reading.opened(file) as source:
        begun = source.read(1000)
        parts = reading.stream(file, start=1000)
        first = next(parts)
        os.utime(on_disk(file), ns=(0, on_disk(file).stat().st_mtime_ns))
        capacity(900 * KIB)
        assert caching.make_room(bytes_needed=10) == 900 * KIB
        assert len(begun + source.read()) == 900 * KIB
        assert len(first + b"".join(parts)) == 899 * KIB + 24


def test_what_is_being_fetched_is_left_alone(capacity: Callable[[int], None]) -> None:
    [file] = stored(3000)
    capacity(100 * KIB)
    with alone_on_node(evicting.FETCH_LOCK.format(file.pk), patience=0):
        assert caching.make_room(bytes_needed=10) == 0
    assert caching.make_room(bytes_needed=10) == 100 * KIB


def test_killed_between_the_row_and_the_bytes_the_next_one_takes_the_bytes(
    capacity: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(side: LocalSide, **rest: str) -> None:
        raise Killed

    [file] = stored(3000)
    capacity(100 * KIB)
    with monkeypatch.context() as dying:
        dying.setattr(LocalSide, "delete", die)
        with pytest.raises(Killed):
            caching.make_room(bytes_needed=10)
    assert (state_of_copies(file)["local"], are_here(file)) == ("missing", [True])
    assert reading.local_path(file).read_bytes()
    os.utime(on_disk(file), ns=(0, on_disk(file).stat().st_mtime_ns))
    assert caching.make_room(bytes_needed=10) == 100 * KIB
    assert are_here(file) == [False]


def test_the_old_place_of_an_archived_file_goes_once_the_archive_has_it(capacity: Callable[[int], None]) -> None:
    [file] = stored(3000)
    old = file.key
    kept = on_disk(file).read_bytes()
    archiving.archive(file)
    archiving.move_archived()
    file.refresh_from_db()
    assert old != file.key
    local().delete(key=file.key)  # as on another node, which still has it at its old key alone
    capacity(100 * KIB)
    assert caching.make_room(bytes_needed=10) == 100 * KIB
    assert names_below(local().root) == []
    assert state_of_copies(file)["local"] == "missing"
    assert reading.local_path(file).read_bytes() == kept


def test_a_budget_is_kept_even_on_a_durable_disk(storeroom: Path, settings: Settings) -> None:
    settings.DISK_DURABLE = True
    files = stored(4000, 3000, 2000, 1000)
    assert caching.evict_to_budget() == 0
    settings.LOCAL_CACHE_BYTES = 250 * KIB
    assert caching.evict_to_budget() == 200 * KIB
    assert are_here(*files) == [False, False, True, True]
    assert caching.evict_to_budget() == 0


def test_without_a_budget_a_cache_disk_keeps_its_watermark_and_a_durable_one_its_files(
    capacity: Callable[[int], None], settings: Settings
) -> None:
    files = stored(3000, 2000)
    settings.DISK_RESERVE_BYTES = 100 * KIB
    capacity(320 * KIB)
    settings.DISK_DURABLE = True
    assert caching.evict_to_budget() == 0
    settings.DISK_DURABLE = False
    assert caching.evict_to_budget() == 100 * KIB
    assert are_here(*files) == [False, True]


def test_filling_the_cache_keeps_to_the_budget(storeroom: Path, settings: Settings) -> None:
    files = stored(3000, 2000, 1000)
    local().delete(key=files[2].key)
    settings.LOCAL_CACHE_BYTES = 250 * KIB
    reading.opened(files[2]).close()
    assert are_here(*files) == [False, True, True]
