"""The thread that keeps a node alive: it beats, works its timetable alone on its disk, and survives what goes wrong."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError
from django.test import Client

from storage_sync.models import Node
from storage_sync.presence import disks, keeping, nodes
from storage_sync.presence.chores import TIMETABLE, Chore
from storage_sync.presence.keeping import Keeper
from storage_sync.sides.local import local

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Keeper]]:
    """Beats every 0.1 s and begins at once; what a test has started is stopped."""
    settings.STORAGE_NODE = "here"
    settings.NODE_DEAD_SECONDS = 0.8
    monkeypatch.setattr(keeping, "STAGGER_SECONDS", 0.0)
    started: list[Keeper] = []
    yield started
    for keeper in started:
        keeper.stop()


def start(started: list[Keeper], *chores: Chore) -> Keeper:
    keeper = Keeper(timetable=chores, tick=0.02)
    keeper.start()
    started.append(keeper)
    return keeper


def soon(holds: threading.Event) -> bool:
    return holds.wait(15)


def test_it_beats_and_does_its_chores(quick: list[Keeper]) -> None:
    done = threading.Event()
    start(quick, Chore("once", every=3600, run=done.set))
    assert soon(done)
    assert Node.objects.get().name == "here"


def test_it_stops_when_it_is_told_to(quick: list[Keeper]) -> None:
    keeper = start(quick)
    keeper.stop()
    assert not keeper._thread.is_alive()
    assert disks.Tending(local().root).hold(), "and somebody else may have the chores"


def test_a_chore_that_fails_is_done_again_and_hurts_no_other(quick: list[Keeper]) -> None:
    twice, other = threading.Event(), threading.Event()
    calls: list[float] = []

    def fail() -> None:
        calls.append(time.monotonic())
        if len(calls) > 1:
            twice.set()
        raise RuntimeError("a bug")

    start(quick, Chore("bad", every=0.05, run=fail), Chore("good", every=0.05, run=other.set))
    assert soon(twice)
    assert soon(other)


def test_a_chore_that_the_database_refused_is_done_soon(quick: list[Keeper], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SOON_SECONDS", 0.05)
    done, calls = threading.Event(), []

    def refused_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the pool is closed")
        done.set()

    start(quick, Chore("hourly", every=3600, run=refused_once))
    assert soon(done)


def test_a_chore_that_hangs_is_not_begun_again_and_stops_no_other(quick: list[Keeper]) -> None:
    begun, release, others = [], threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        begun.append(1)
        release.wait(20)

    start(quick, Chore("long", every=0.01, run=hang, longest=0.01), Chore("short", every=0.01, run=others.release))
    for _ in range(5):
        assert others.acquire(timeout=15)
    assert begun == [1]
    release.set()


def test_a_chore_that_gets_no_thread_is_begun_when_there_are_some_again(
    quick: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SOON_SECONDS", 0.05)
    refused: list[str] = []
    done, really = threading.Event(), threading.Thread.start

    def no_more_threads(thread: threading.Thread) -> None:
        if thread.name.startswith("chore-") and len(refused) < 3:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        really(thread)

    monkeypatch.setattr(threading.Thread, "start", no_more_threads)
    start(quick, Chore("daily", every=86_400, run=done.set))
    assert soon(done)
    assert len(refused) == 3


def test_a_fault_of_the_timetable_itself_does_not_end_the_keeper(
    quick: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, asked, really = threading.Event(), [], disks.Tending.hold

    def faulty(tending: disks.Tending) -> bool:
        asked.append(1)
        if len(asked) < 4:
            raise MemoryError
        return really(tending)

    monkeypatch.setattr(disks.Tending, "hold", faulty)
    start(quick, Chore("often", every=0.05, run=done.set))
    assert soon(done)


def test_a_clock_that_is_set_back_stops_no_chore(quick: list[Keeper], monkeypatch: pytest.MonkeyPatch) -> None:
    done, really = threading.Semaphore(0), time.time
    start(quick, Chore("often", every=0.05, run=done.release))
    assert done.acquire(timeout=15)
    monkeypatch.setattr(time, "time", lambda: really() - 86_400)
    for _ in range(5):
        assert done.acquire(timeout=15)


def test_a_database_that_is_away_ends_nothing(quick: list[Keeper], monkeypatch: pytest.MonkeyPatch) -> None:
    back, really, asked = threading.Event(), nodes.beat, []

    def away(presence: nodes.Presence) -> None:
        asked.append(1)
        if len(asked) < 4:
            raise OperationalError("the server is gone")
        really(presence)
        back.set()

    monkeypatch.setattr(nodes, "beat", away)
    start(quick)
    assert soon(back)
    assert Node.objects.exists()


def test_one_process_of_a_disk_has_the_chores(storeroom: Path, quick: list[Keeper]) -> None:
    first, second = disks.Tending(storeroom), disks.Tending(storeroom)
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.give_back()
    assert second.hold()


def test_a_replaced_folder_has_a_lock_of_its_own_that_its_holder_takes_again(storeroom: Path) -> None:
    first, second = disks.Tending(storeroom), disks.Tending(storeroom)
    assert first.hold()
    shutil.rmtree(storeroom)
    assert second.hold()
    assert not first.hold(), "the lock on a file that is gone is worth nothing"


def test_what_is_done_daily_is_not_done_again_by_a_restart(storeroom: Path, quick: list[Keeper]) -> None:
    times: list[float] = []
    done, other = threading.Event(), threading.Event()

    def daily() -> None:
        times.append(time.time())
        done.set()

    start(quick, Chore("daily", every=86_400, run=daily))
    assert soon(done)
    until = time.monotonic() + 15
    while "daily" not in disks.Tending(storeroom).remembered() and time.monotonic() < until:
        time.sleep(0.02)
    quick[0].stop()
    start(quick, Chore("daily", every=86_400, run=daily), Chore("often", every=0.05, run=other.set))
    assert soon(other)
    assert len(times) == 1


def test_a_damaged_memory_is_forgotten(storeroom: Path) -> None:
    storeroom.mkdir(exist_ok=True)
    for raw in (b"{", b"[1]", b'{"a": "x"}', b"\xff\xfe"):
        (storeroom / ".chores").write_bytes(raw)
        assert disks.Tending(storeroom).remembered() == {}


def test_the_timetable_names_every_chore_once() -> None:
    assert len({chore.name for chore in TIMETABLE}) == len(TIMETABLE)
    assert all(chore.every >= 1 for chore in TIMETABLE)


def test_a_process_whose_name_is_taken_is_not_ready_to_serve(
    client: Client, quick: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Semaphore(0)

    def refused(presence: nodes.Presence) -> None:
        asked.release()
        raise nodes.NameTakenError("somebody else")

    monkeypatch.setattr(nodes, "beat", refused)
    monkeypatch.setattr(keeping, "_keeper", start(quick))
    for _ in range(2):
        assert asked.acquire(timeout=15)
    answer = client.get("/health/ready")
    assert (answer.status_code, "CHATVISTA_NODE" in answer.json()["node"]) == (503, True)
    assert client.get("/health/live").status_code == 200
