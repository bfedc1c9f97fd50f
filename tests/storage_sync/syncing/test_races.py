"""Several engines at once, engines that died, and files that change while their bytes are on the way."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving
from storage_sync.syncing import leasing, run
from storage_sync.syncing.leasing import Held
from storage_sync.syncing.outcomes import Outcome, Verdict
from storage_sync.syncing.running import Progress
from storage_sync.vocabulary import CopyState, FileState, SideName
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.journeys.houses import eventually
from tests.storage_sync.making import WORDS, names_below, on_disk, space, store
from tests.storage_sync.syncing.due import cloud_copy, forget_here, lay, let_pauses_pass, object_of

pytestmark = pytest.mark.django_db(transaction=True)


def claim(held: Held, most: int = 1000) -> list[Copy]:
    return held.claim(most=most, most_bytes=1 << 40, categories=(), has_cloud=True)


class Running(threading.Thread):
    """A run in a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()
        self.start()

    def run(self) -> None:
        try:
            self.progress = run()
        finally:
            connection.close()


def test_engines_share_what_is_due_and_do_nothing_twice(faulty: FaultySpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage_sync.syncing.running.BATCH", 10)
    files = [lay(os.urandom(40)) for _ in range(120)]
    engines = [Running(), Running(), Running()]
    for engine in engines:
        engine.join(60)
    assert sum(engine.progress.made for engine in engines) == len(files)
    assert len(faulty.requests("PUT")) == len(files)
    assert not Copy.objects.exclude(state=CopyState.PRESENT).exists()


def test_what_an_engine_holds_no_other_takes(storeroom: Path) -> None:
    lay()
    one, other = Held(), Held()
    assert len(claim(one)) == 1
    assert claim(other) == []
    assert run().made == 0


def test_what_a_dead_engine_held_is_made_once_its_lease_has_run_out(faulty: FaultySpace) -> None:
    file = lay()
    dead = Held()
    claim(dead)
    Copy.objects.filter(pk=cloud_copy(file).pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run().made == 1
    assert len(faulty.requests("PUT")) == 1
    assert dead.settle([Outcome(cloud_copy(file), Verdict.FAILED, code="late")]) == []
    assert cloud_copy(file).state == CopyState.PRESENT


def test_dying_of_a_copy_counts_as_an_attempt(storeroom: Path) -> None:
    file = lay()
    claim(Held())
    assert cloud_copy(file).attempts == 0
    let_pauses_pass()
    time.sleep(0.01)
    claim(Held())
    assert cloud_copy(file).attempts == 1


def test_a_slow_engine_whose_lease_was_taken_over_writes_nothing(storeroom: Path) -> None:
    file = lay()
    slow, quick = Held(), Held()
    [copy] = claim(slow)
    let_pauses_pass()
    time.sleep(0.01)
    assert len(claim(quick)) == 1
    slow.settle([Outcome(copy, Verdict.MADE)])
    assert cloud_copy(file).state == CopyState.PENDING
    slow.settle([Outcome(copy, Verdict.FAILED, code="x")])
    assert cloud_copy(file).error == ""
    quick.settle([Outcome(copy, Verdict.MADE)])
    assert cloud_copy(file).state == CopyState.PRESENT


def test_a_renewed_lease_lasts(storeroom: Path) -> None:
    file = lay()
    held = Held()
    claim(held)
    before = cloud_copy(file).lease_until
    assert before is not None
    time.sleep(0.05)
    held.renew()
    after = cloud_copy(file).lease_until
    assert after is not None
    assert after > before
    assert held.is_safe


def test_who_may_be_about_to_lose_his_lease_is_not_safe(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "LEASE_SECONDS", leasing.MARGIN_SECONDS)
    held = Held()
    lay()
    claim(held)
    assert not held.is_safe


def test_no_engine_takes_more_bytes_than_it_should_but_one_file_always(storeroom: Path) -> None:
    for _ in range(3):
        lay(os.urandom(100))
    assert len(Held().claim(most=10, most_bytes=250, categories=(), has_cloud=True)) == 2
    assert len(Held().claim(most=10, most_bytes=1, categories=(), has_cloud=True)) == 1


def test_what_others_must_make_does_not_stand_before_what_we_can(storeroom: Path) -> None:
    for number in range(7):
        lay(os.urandom(10), node=f"elsewhere-{number}")
    ours = lay()
    assert [copy.file_id for copy in claim(Held(), most=2)] == [ours.pk]


def test_a_file_archived_while_it_goes_up_ends_at_its_new_key(faulty: FaultySpace) -> None:
    file = lay()
    faulty.inject(Fault("delay", method="PUT", seconds=2))
    engine = Running()
    eventually(lambda: bool(faulty.requests("PUT")), within=20)
    archiving.archive(file)
    archiving.move_archived()
    engine.join(60)
    file.refresh_from_db()
    assert file.key.startswith("archive/")
    copy = cloud_copy(file)
    if copy.state != CopyState.PRESENT:
        let_pauses_pass()
        run()
    assert object_of(file) == WORDS
    assert cloud_copy(file).state == CopyState.PRESENT


@pytest.mark.parametrize("state", [FileState.PURGING, FileState.PURGED])
def test_of_a_file_purged_while_it_goes_up_nothing_is_left(faulty: FaultySpace, state: FileState) -> None:
    file = lay()
    faulty.inject(Fault("delay", method="PUT", seconds=2))
    engine = Running()
    eventually(lambda: bool(faulty.requests("PUT")), within=20)
    StoredFile.objects.filter(pk=file.pk).update(state=state, purged_at=timezone.now())
    engine.join(60)
    assert engine.progress.moot == 1
    assert space().head(key=file.key) is None
    assert cloud_copy(file).state == CopyState.PENDING


def test_of_a_file_purged_while_it_comes_down_nothing_is_left(faulty: FaultySpace) -> None:
    file = store()
    forget_here(file)
    faulty.inject(Fault("delay", method="GET", key="flac", seconds=2))
    engine = Running()
    eventually(lambda: bool(faulty.requests("GET", "flac")), within=20)
    StoredFile.objects.filter(pk=file.pk).update(state=FileState.PURGED, purged_at=timezone.now())
    engine.join(60)
    assert engine.progress.moot == 1
    assert not on_disk(file).exists()


def test_files_that_are_no_longer_readable_are_nobodys_work(storeroom: Path) -> None:
    for state in (FileState.PURGING, FileState.ABANDONED, FileState.LOST, FileState.QUARANTINED):
        StoredFile.objects.filter(pk=lay().pk).update(state=state)
    assert run() == Progress()


def test_an_interruption_gives_back_what_was_not_begun(
    faulty: FaultySpace, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SYNC_CONCURRENCY = 2
    for _ in range(30):
        lay(os.urandom(40))

    def interrupted(_: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("storage_sync.syncing.running.SETTLE_SECONDS", 0.0)
    faulty.inject(Fault("delay", method="PUT", seconds=0.3, times=0))
    with pytest.raises(KeyboardInterrupt):
        run(tell=interrupted)
    faulty.mend()
    assert not Copy.objects.filter(lease_token__isnull=False).exists()
    left = Copy.objects.exclude(state=CopyState.PRESENT).count()
    assert 0 < left < 30
    assert run().made == left


def test_time_is_up_only_for_what_was_not_begun(faulty: FaultySpace, settings: Settings) -> None:
    settings.SYNC_CONCURRENCY = 2
    for _ in range(30):
        lay(os.urandom(40))
    faulty.inject(Fault("delay", method="PUT", seconds=0.3, times=0))
    done = run(seconds=1)
    assert done.stopped == "time"
    assert 0 < done.made < 30
    assert not Copy.objects.filter(lease_token__isnull=False).exists()


def test_a_run_leaves_no_temporary_file(storeroom: Path) -> None:
    for _ in range(3):
        forget_here(store(os.urandom(30)))
    run()
    assert names_below(storeroom / "temp") == []


def test_another_nodes_copy_is_not_ours_to_make(storeroom: Path) -> None:
    file = store()
    other = Copy.objects.create(
        file=file, side=SideName.LOCAL, node=f"node-{uuid.uuid4().hex[:6]}", next_attempt_at=timezone.now()
    )
    assert run() == Progress()
    other.refresh_from_db()
    assert other.state == CopyState.PENDING
