"""However long a file is, taking it in, putting it and reading it back need no more memory."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from typing import Self

import pytest

from storage_sync.arriving.receiving import Intake, receive
from storage_sync.giving import reading
from storage_sync.sides import connecting
from tests.storage_sync.making import nobody, on_disk

MIB = 1024 * 1024


STATM = Path("/proc/self/statm")
needs_statm = pytest.mark.skipif(not STATM.exists(), reason="this system does not tell how much memory a process has")


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Watch:
    """The most memory this process had, above what it had at the beginning."""

    def __init__(self) -> None:
        gc.collect()
        self.before = self.most = resident_bytes()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self.done.is_set():
            self.most = max(self.most, resident_bytes())
            time.sleep(0.02)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.done.set()
        self.thread.join()

    @property
    def grown(self) -> int:
        return self.most - self.before


@pytest.mark.slow
@needs_statm
@pytest.mark.timeout(600)
@pytest.mark.django_db
@pytest.mark.usefixtures("storeroom")
def test_a_gibibyte_passes_through_in_constant_memory() -> None:
    chunk = bytes(range(256)) * 1024
    size = 1024 * MIB
    with Watch() as watch, Intake(category="recordings", largest=size, announced_size=size) as intake:
        for _ in range(size // len(chunk)):
            intake.write(chunk)
        file = receive(
            landed=intake.land(), name="a", content_type="a/b", extension="", tenant_id=None, own=nobody
        )  # fmt: skip
        on_disk(file).unlink()
        assert reading.local_path(file).stat().st_size == size
    assert file.durability == "both"
    assert watch.grown < 64 * MIB


@pytest.mark.django_db
def test_a_process_that_forked_connects_anew(storeroom: Path) -> None:
    space = connecting.configured_space()
    assert space is not None
    here = connecting.client_of(space)
    assert connecting.client_of(space) is here
    connecting._start_anew()
    assert connecting.client_of(space) is not here


@needs_statm
@pytest.mark.django_db
def test_clients_of_many_patiences_share_what_they_know_of_s3(storeroom: Path) -> None:
    space = connecting.configured_space()
    assert space is not None
    connecting.new_client(space)
    with Watch() as watch:
        clients = [connecting.new_client(space, read=float(seconds)) for seconds in range(1, 21)]
        for client in clients:
            client.head_bucket(Bucket=space.bucket)
            client.close()
    assert watch.grown < 40 * MIB
