"""No collector takes bytes that are referred to (guarantee G9), live: everybody at once, on a real ledger and Space.

Receivers (some so slow that the sweeper takes over), people who archive and restore, movers, sweepers, reconcilers,
scrubs and the engine run against each other with their times cut short. Then every file must read back right.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from storage_sync.arriving import replicating, settling
from storage_sync.giving.reading import stream
from storage_sync.inspecting import clearing, strangers, sweeping
from storage_sync.inspecting.reconciling import Order, reconcile
from storage_sync.inspecting.scrubbing import Slice, scrub
from storage_sync.models import Copy, Inspection, StoredFile, UnknownObject
from storage_sync.retaining import archiving, following
from storage_sync.syncing import run as sync
from tests.storage_sync.inspecting.running import cloud_keys
from tests.storage_sync.making import store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(600)]
SECONDS = float(os.environ.get("STRESS_SECONDS", "25"))


class Crowd:
    """Threads that do their deed over and over, until the time is up; what they raise is kept."""

    def __init__(self) -> None:
        self.until = time.monotonic() + SECONDS
        self.done: Counter[str] = Counter()
        self.raised: list[BaseException] = []
        self.acknowledged: dict[uuid.UUID, str] = {}
        self._threads: list[threading.Thread] = []

    def add(self, name: str, deed: Callable[[], Any], *, times: int = 1) -> None:
        """So many threads of one deed."""
        for _ in range(times):
            self._threads.append(threading.Thread(target=self._work, args=(name, deed), name=name))

    def run(self) -> None:
        """Let them all loose, and wait."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _work(self, name: str, deed: Callable[[], Any]) -> None:
        try:
            while time.monotonic() < self.until:
                deed()
                self.done[name] += 1
        except BaseException as error:
            self.raised.append(error)
            raise
        finally:
            connection.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Everything that waits for minutes or days waits for a second or a few."""
    settings.LINK_SECONDS = 1
    monkeypatch.setattr(settling, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(settling, "LATE_SECONDS", 2)
    monkeypatch.setattr(sweeping, "GRACE_SECONDS", 1)
    monkeypatch.setattr(archiving, "TRY_AGAIN_SECONDS", 1)
    monkeypatch.setattr(following, "TRY_AGAIN_SECONDS", 1)
    monkeypatch.setattr(strangers, "ALONE_SECONDS", 8)
    real = replicating.put_verified

    def slow_now_and_then(**asked: Any) -> None:
        real(**asked)
        if random.random() < 0.1:
            time.sleep(random.uniform(1.0, 4.0))

    monkeypatch.setattr(replicating, "put_verified", slow_now_and_then)


def receive(crowd: Crowd) -> None:
    data = os.urandom(random.choice([1, 3_000, 40_000]))
    try:
        file = store(data)
    except Problem as problem:
        if problem.status != 503:
            raise
        return
    crowd.acknowledged[file.pk] = hashlib.sha256(data).hexdigest()


def archive_or_restore(crowd: Crowd) -> None:
    time.sleep(0.05)
    if not crowd.acknowledged:
        return
    file = StoredFile.objects.get(pk=random.choice(list(crowd.acknowledged)))
    try:
        if file.state == "archived":
            archiving.restore(file)
        else:
            archiving.archive(file)
    except Problem as problem:
        if problem.code != "not_restorable":
            raise


def read_one(crowd: Crowd) -> None:
    time.sleep(0.05)
    if not crowd.acknowledged:
        return
    file_id, sha256 = random.choice(list(crowd.acknowledged.items()))
    file = StoredFile.objects.get(pk=file_id)
    try:
        found = hashlib.sha256(b"".join(stream(file))).hexdigest()
    except Problem as problem:
        if problem.status != 503:
            raise
        return
    assert found == sha256


def quiesce() -> None:
    """Let everybody finish what has been begun, until nothing is under way."""
    for _ in range(60):
        StoredFile.objects.filter(lease_until__gt=in_seconds(5)).update(lease_until=in_seconds(-1))
        Copy.objects.filter(next_attempt_at__gt=in_seconds(1)).update(next_attempt_at=in_seconds(0))
        sweeping.sweep_reservations()
        archiving.move_archived()
        following.follow_moves()
        sync()
        moving = StoredFile.objects.exclude(other_key="").exists()
        reserved = StoredFile.objects.filter(state="reserved").exists()
        due = Copy.objects.filter(file__state__in=["stored", "archived"], next_attempt_at__isnull=False).exists()
        leftovers = Copy.objects.filter(file__state="abandoned").exclude(state="missing").exists()
        if not (moving or reserved or due or leftovers):
            return
        time.sleep(0.5)
    raise AssertionError(f"it never comes to rest: {under_way()}")


def under_way() -> list[Any]:
    """What is still going on, as the rows say it."""
    files = StoredFile.objects.exclude(other_key="") | StoredFile.objects.filter(state="reserved")
    copies = Copy.objects.filter(next_attempt_at__isnull=False) | Copy.objects.filter(file__state="abandoned").exclude(
        state="missing"
    )
    names = ("side", "state", "next_attempt_at", "attempts", "lease_until", "error", "file__key", "file__state")
    return [
        *files.values_list("state", "key", "other_key", "other_key_until", "lease_until")[:5],
        *copies.values_list(*names)[:5],
    ]


def test_everybody_at_once(storeroom: Path, hurried: None) -> None:
    reconcile()
    crowd = Crowd()
    crowd.add("receive", lambda: receive(crowd), times=2)
    crowd.add("archive or restore", lambda: archive_or_restore(crowd))
    crowd.add("read", lambda: read_one(crowd))
    crowd.add("sweep", lambda: (sweeping.sweep_reservations(), clearing.clear_space(), clearing.clear_disk()))
    crowd.add("move", lambda: (archiving.move_archived(), following.follow_moves()), times=2)
    crowd.add("reconcile", lambda: reconcile(Order(forced=["short", "share"])))
    crowd.add("scrub and sync", lambda: (scrub(Slice(seconds=1.0, rate=None)), sync(seconds=1.0)))
    crowd.run()
    assert crowd.raised == []
    assert min(crowd.done.values()) >= 2, crowd.done
    quiesce()
    for file_id, sha256 in crowd.acknowledged.items():
        file = StoredFile.objects.get(pk=file_id)
        assert file.state in {"stored", "archived"}, file.state
        assert hashlib.sha256(b"".join(stream(file))).hexdigest() == sha256
    assert not StoredFile.objects.filter(state="lost").exists()
    outcome = reconcile(Order(forced=["short", "share"]))
    assert (outcome.inspection.aborted, outcome.differences) == ("", 0), outcome.inspection.verdicts
    print(dict(crowd.done), len(crowd.acknowledged), "acknowledged", summary())


def summary() -> dict[str, int]:
    """Verdicts of all inspections together, and what lies in quarantine."""
    told: Counter[str] = Counter()
    for verdicts in Inspection.objects.values_list("verdicts", flat=True):
        for counts in verdicts.values():
            told.update(counts)
    told["in quarantine"] = len([key for key in cloud_keys() if key.startswith("quarantine/")])
    told["unknown now"] = UnknownObject.objects.filter(quarantined_at=None).count()
    return dict(told)
