"""Fetching: once per node however many want it, by the next when the first is killed, and never a wrong byte."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync.disk import evicting, fetching, finding, verifying
from storage_sync.disk.locking import BusyError, alone_on_node
from storage_sync.giving import reading
from storage_sync.models import StoredFile
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.making import (
    WORDS,
    names_below,
    on_disk,
    space,
)

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]


@contextmanager
def fetcher(file: StoredFile, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Another process of this node, ready to fetch when a line is written to it."""
    told = {
        "root": str(settings.STORAGE_PATH), "bucket": settings.SPACES_BUCKET, "endpoint": settings.SPACES_ENDPOINT,
        "id": str(file.pk), "key": file.key, "size": file.size, "sha256": file.sha256,
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage_sync.fetcher", json.dumps(told)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def wait_for(what: Any) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


@pytest.mark.slow
def test_two_processes_and_a_thread_cause_one_get(
    away_from_here: StoredFile, settings: Settings, faulty: FaultySpace
) -> None:
    faulty.inject(Fault("delay", method="GET", key=away_from_here.key, seconds=1.5, times=0))
    with fetcher(away_from_here, settings) as one, fetcher(away_from_here, settings) as other:
        go(one)
        go(other)
        wait_for(lambda: faulty.requests("GET", away_from_here.key))
        assert reading.local_path(away_from_here).read_bytes() == WORDS * 20
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline().strip() == str(on_disk(away_from_here))
    assert len(faulty.requests("GET", away_from_here.key)) == 1


@pytest.mark.slow
def test_a_killed_fetcher_leaves_the_next_one_free(
    away_from_here: StoredFile, settings: Settings, faulty: FaultySpace, storeroom: Path
) -> None:
    faulty.inject(Fault("hang", method="GET", key=away_from_here.key))
    with fetcher(away_from_here, settings) as victim:
        go(victim)
        wait_for(lambda: faulty.requests("GET", away_from_here.key))
        victim.kill()
        victim.wait()
    left = [name for name in names_below(storeroom) if name.endswith(".lock")]
    assert left == [f"temp/{evicting.FETCH_LOCK.format(away_from_here.pk)}.lock"]
    assert reading.local_path(away_from_here).read_bytes() == WORDS * 20
    assert not [name for name in names_below(storeroom) if name.endswith(".lock")]


def test_who_waited_long_enough_reads_straight_from_the_space(
    away_from_here: StoredFile, monkeypatch: pytest.MonkeyPatch, storeroom: Path
) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_SECONDS", 0.1)
    with alone_on_node(evicting.FETCH_LOCK.format(away_from_here.pk), patience=0):
        assert b"".join(reading.stream(away_from_here)) == WORDS * 20
        assert b"".join(reading.stream(away_from_here, start=7, length=9)) == (WORDS * 20)[7:16]
        with pytest.raises(Problem, match="storage_unavailable"):
            reading.local_path(away_from_here)
    monkeypatch.setattr(finding, "PATIENCE_SECONDS", 0.1)
    with verifying.alone(str(away_from_here.pk)):
        reader = threading.Thread(target=lambda: done.append(_straight(away_from_here)))
        done: list[bytes] = []
        reader.start()
        reader.join()
    assert done == [WORDS * 20]
    assert names_below(storeroom) == []


def _straight(file: StoredFile) -> bytes:
    with pytest.raises(BusyError), verifying.alone(str(file.pk), patience=0.05):
        pass
    side = space()
    return b"".join(side.read(key=file.key))


def test_a_lock_is_given_to_one_at_a_time_and_forgotten(storeroom: Path) -> None:
    (storeroom / "temp").mkdir(parents=True)
    with alone_on_node("x", patience=0):
        with pytest.raises(BusyError), alone_on_node("x", patience=0.05):
            pass
        (storeroom / "temp" / "x.lock").unlink()  # as the sweep of temp/ would
        with alone_on_node("x", patience=0):
            assert (storeroom / "temp" / "x.lock").exists()
    assert names_below(storeroom) == []


def test_many_threads_count_up_under_a_lock_without_losing_one(storeroom: Path) -> None:
    (storeroom / "temp").mkdir(parents=True)
    counted = [0]

    def count() -> None:
        for _ in range(20):
            with alone_on_node("counter", patience=60):
                before = counted[0]
                time.sleep(0.0005)
                counted[0] = before + 1

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [120]
