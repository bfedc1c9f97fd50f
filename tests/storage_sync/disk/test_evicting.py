"""Eviction while others read, and on a disk that is really small."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from storage_sync.disk import caching
from storage_sync.giving import reading
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.local import local
from tests.fakes.small_disks import small_disk_at
from tests.storage_sync.making import on_disk, state_of_copies, store

pytestmark = pytest.mark.django_db
KIB = 1024


@pytest.mark.django_db(transaction=True)
def test_readers_and_evictors_at_once_give_right_bytes_and_true_rows(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "TOUCH_SECONDS", 0)
    settings.LOCAL_CACHE_BYTES = 150 * KIB
    contents = [os.urandom(60 * KIB) for _ in range(5)]
    files = [store(content) for content in contents]
    until = time.monotonic() + 6

    def read(number: int) -> int:
        reads = 0
        while time.monotonic() < until:
            which = (number + reads) % len(files)
            file = StoredFile.objects.get(pk=files[which].pk)
            with reading.opened(file) as source:
                assert source.read() == contents[which]
            assert b"".join(reading.stream(file, start=5, length=1000)) == contents[which][5:1005]
            reads += 1
        return reads

    def evict(number: int) -> int:
        gone = 0
        while time.monotonic() < until:
            gone += caching.evict_to_budget()
        return gone

    def closing(work: Callable[[int], int], number: int) -> int:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(closing, read, number) for number in range(3)]
        evictors = [pool.submit(closing, evict, number) for number in range(2)]
    assert all(reader.result() > 3 for reader in readers)
    assert sum(evictor.result() for evictor in evictors) > 150 * KIB
    for file in files:
        assert (state_of_copies(file)["local"] == "present") is on_disk(file).exists()
        assert state_of_copies(file)["cloud"] == "present"


@pytest.fixture
def small_disk(storeroom: Path) -> Iterator[Path]:
    """A real filesystem of 12 MiB in the place of the storeroom's disk."""
    with small_disk_at(storeroom, mib=12) as folder:
        yield folder


@pytest.mark.slow
def test_three_times_the_disk_goes_through_it_and_every_file_comes_back(small_disk: Path, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1024 * KIB
    contents = [os.urandom(900 * KIB) for _ in range(40)]
    files = []
    for number, content in enumerate(contents):
        files.append(store(content))
        if number == 3:
            Copy.objects.filter(file=files[3], side="cloud").update(state="pending")
    assert local().free_bytes() >= settings.DISK_RESERVE_BYTES - 900 * KIB
    assert on_disk(files[3]).exists()
    assert 0 < sum(on_disk(file).exists() for file in files) < 14
    for file, content in zip(files, contents, strict=True):
        assert b"".join(reading.stream(file)) == content
    for file in files:
        present = state_of_copies(file)["local"] == "present"
        assert present is on_disk(file).exists()
    assert on_disk(files[3]).exists()
