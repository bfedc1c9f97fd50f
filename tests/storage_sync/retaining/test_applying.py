"""Policies archive and purge exactly what is due, and whoever changes something meanwhile wins."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditEvent
from storage_sync.models import Deletion, RetentionPolicy, StoredFile
from storage_sync.retaining import applying, archiving, holding, planning, purging, selecting
from storage_sync.retaining.selecting import database_now
from storage_sync.signals import file_purged
from tests.storage_sync.making import WORDS, store
from tests.storage_sync.retaining.ageing import SECOND, archived, fresh, policy, stored

pytestmark = pytest.mark.django_db


def run(**how: Any) -> tuple[int, int]:
    done = applying.apply(**how)
    return done["archived"], done["purging"]


def test_a_second_decides(storeroom: Path) -> None:
    rule = policy(archive_after_days=30, purge_after_days=7)
    now = database_now()
    for off, is_due in ((-SECOND, True), (0 * SECOND, True), (SECOND, False)):
        old, gone = stored(), archived()
        StoredFile.objects.filter(pk=old.pk).update(stored_at=now - dt.timedelta(days=30) + off)
        StoredFile.objects.filter(pk=gone.pk).update(archived_at=now - dt.timedelta(days=7) + off)
        assert selecting.to_archive(policy=rule, at=now).filter(pk=old.pk).exists() == is_due
        assert selecting.to_purge(policy=rule, at=now).filter(pk=gone.pk).exists() == is_due


def test_a_run_archives_and_purges_what_is_due_and_nothing_else(storeroom: Path) -> None:
    tenant = uuid.uuid4()
    policy(tenant_id=tenant, archive_after_days=30, purge_after_days=7)
    old, young = stored(days=31, tenant_id=tenant), stored(days=29, tenant_id=tenant)
    gone, kept = archived(days=7.1, tenant_id=tenant), archived(days=6.9, tenant_id=tenant)
    strange = stored(days=400)
    minutes = store(tenant_id=tenant, category="minutes")
    StoredFile.objects.filter(pk=minutes.pk).update(stored_at=database_now() - dt.timedelta(days=400))
    assert run() == (1, 1)
    states = {file.pk: fresh(file).state for file in (old, young, gone, kept, strange, minutes)}
    assert list(states.values()) == ["archived", "stored", "purging", "archived", "stored", "stored"]
    assert run() == (0, 0)
    own = RetentionPolicy.objects.get()
    assert (Deletion.objects.get().file_id, Deletion.objects.get().policy_id) == (gone.pk, own.pk)
    told = AuditEvent.objects.filter(action="file.archived", target_id=old.pk).get()
    assert told.data == {"policy": str(own.pk)}


def test_a_tenants_own_policy_stands_in_the_place_of_the_general_one(storeroom: Path) -> None:
    own, other = uuid.uuid4(), uuid.uuid4()
    policy(archive_after_days=1, purge_after_days=1)
    policy(tenant_id=own, archive_after_days=100)
    ours, theirs, nobodys = stored(days=50, tenant_id=own), stored(days=50, tenant_id=other), store(tenant_id=None)
    ours_archived = archived(days=50, tenant_id=own)
    StoredFile.objects.filter(pk=nobodys.pk).update(stored_at=database_now() - dt.timedelta(days=50))
    assert run() == (1, 0)
    assert [fresh(file).state for file in (ours, theirs, nobodys)] == ["stored", "archived", "stored"]
    assert fresh(ours_archived).state == "archived", "its own policy never purges"


def test_what_somebody_restored_is_kept_for_another_while(storeroom: Path) -> None:
    policy(archive_after_days=30)
    file = stored(days=50)
    assert run() == (1, 0)
    archiving.restore(file)
    assert run() == (0, 0)
    StoredFile.objects.update(restored_at=database_now() - dt.timedelta(days=30))
    assert run() == (1, 0)


def test_a_held_file_is_archived_but_outlasts_the_policy(storeroom: Path) -> None:
    policy(archive_after_days=30, purge_after_days=1)
    held, stored_and_held = archived(days=50), stored(days=50)
    for file in (held, stored_and_held):
        holding.put_hold(file_id=file.pk, reason="A lawsuit.")
    made = planning.plan()
    assert (made.purge.now.files, made.held.files, made.held.bytes) == (0, 1, len(WORDS))
    assert run() == (1, 0)
    assert fresh(held).state == "archived"
    holding.lift_hold(file_id=held.pk)
    assert run() == (0, 1)


def meanwhile(monkeypatch: pytest.MonkeyPatch, deed: Any) -> None:
    """Something happens after the run has made its list and before it does what is on it."""
    honest = applying._each

    def late(due: Any, *args: Any, **kwargs: Any) -> int:
        listed = list(due.values_list("pk", flat=True))
        deed()
        frozen = StoredFile.objects.filter(pk__in=listed)
        return honest(frozen, *args, **kwargs)

    monkeypatch.setattr(applying, "_each", late)


@pytest.mark.parametrize("change", ["longer", "never", "removed", "held", "restored", "own policy"])
def test_whoever_changes_something_meanwhile_wins(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    tenant = uuid.uuid4()
    general = policy(purge_after_days=7, archive_after_days=1000)
    file = archived(days=8, tenant_id=tenant)

    def deed() -> None:
        rows = RetentionPolicy.objects.filter(pk=general.pk)
        if change == "longer":
            rows.update(purge_after_days=9)
        elif change == "never":
            rows.update(purge_after_days=None)
        elif change == "removed":
            rows.delete()
        elif change == "held":
            holding.put_hold(file_id=file.pk, reason="A lawsuit.")
        elif change == "restored":
            archiving.restore(fresh(file))
        elif not RetentionPolicy.objects.filter(tenant_id=tenant).exists():
            policy(tenant_id=tenant, purge_after_days=1000)

    with monkeypatch.context() as raced:
        meanwhile(raced, deed)
        assert run() == (0, 0)
    assert fresh(file).state == ("stored" if change == "restored" else "archived")
    assert not Deletion.objects.exists()


def test_one_run_begins_no_more_purges_than_it_may_and_the_next_goes_on(storeroom: Path) -> None:
    policy(purge_after_days=7)
    for _ in range(3):
        archived(days=8)
    assert run(most_purges=2) == (0, 2)
    assert run(most_purges=0) == (0, 0)
    assert run(most_purges=2) == (0, 1)


def test_a_run_without_time_leaves_everything_to_the_next(storeroom: Path) -> None:
    policy(purge_after_days=7, archive_after_days=7)
    archived(days=8)
    stored(days=8)
    assert run(seconds=-1.0) == (0, 0)
    assert run() == (1, 1)


def test_a_run_goes_through_more_than_one_batch(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "AT_ONCE", 2)
    policy(archive_after_days=7)
    for _ in range(5):
        stored(days=8)
    assert run() == (5, 0)


def test_only_the_tenant_and_the_category_that_were_named(storeroom: Path) -> None:
    tenant = uuid.uuid4()
    policy(archive_after_days=7)
    mine, theirs = stored(days=8, tenant_id=tenant), stored(days=8)
    assert run(category="minutes") == (0, 0)
    assert run(tenant_id=tenant) == (1, 0)
    assert (fresh(mine).state, fresh(theirs).state) == ("archived", "stored")


def test_the_preview_says_what_the_run_does(storeroom: Path) -> None:
    tenant = uuid.uuid4()
    policy(archive_after_days=30, purge_after_days=7)
    policy(tenant_id=tenant, archive_after_days=10)
    for days in (5, 12, 31, 40):
        stored(days=days)
        stored(days=days, tenant_id=tenant)
    for days in (3, 8, 20):
        archived(days=days)
        archived(days=days, tenant_id=tenant)
    made = planning.plan()
    to_archive, to_purge = ({item.file.pk for item in part.first} for part in (made.archive, made.purge))
    assert (made.archive.now.files, made.purge.now.files) == (len(to_archive), len(to_purge)) == (5, 2)
    assert run() == (5, 2)
    assert {file.pk for file in StoredFile.objects.filter(state="purging")} == to_purge
    assert {file.pk for file in StoredFile.objects.filter(state="archived")} >= to_archive
    after = planning.plan()
    assert (after.archive.now.files, after.purge.now.files) == (0, 0)


def test_the_preview_looks_ahead_through_the_archive(storeroom: Path) -> None:
    policy(archive_after_days=30, purge_after_days=7)
    overdue, soon, later = stored(days=40), stored(days=28), stored(days=1)
    made = planning.plan(days=10)
    assert [item.file for item in made.archive.first] == [overdue, soon]
    assert [item.file for item in made.purge.first] == [overdue, soon]
    assert (made.archive.now.files, made.archive.later.files) == (1, 1)
    assert (made.purge.now.files, made.purge.later.files, made.purge.later.bytes) == (0, 2, 2 * len(WORDS))
    days = [(item.due_at - made.as_of) / dt.timedelta(days=1) for item in made.purge.first]
    assert days == pytest.approx([7, 9], abs=0.01)
    assert [item.file for item in planning.plan(days=8).purge.first] == [overdue]
    assert planning.plan(days=6).purge.first == []
    assert later not in [item.file for item in made.archive.first]


def test_the_first_hundred_are_the_next(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LISTED", 2)
    policy(archive_after_days=1)
    third, first, second = stored(days=3), stored(days=9), stored(days=6)
    made = planning.plan()
    assert made.archive.now.files == 3
    assert [item.file for item in made.archive.first] == [first, second]
    assert third not in [item.file for item in made.archive.first]


def test_a_purge_that_was_ordered_twice_is_one(storeroom: Path) -> None:
    policy(purge_after_days=7)
    file = archived(days=8)
    assert purging.begin(file_id=file.pk, reason="An operator.")
    assert run() == (0, 0)
    assert Deletion.objects.get().reason == "An operator."


def test_a_file_whose_owner_fails_does_not_keep_the_younger_ones(storeroom: Path) -> None:
    policy(purge_after_days=7)
    old, young = archived(days=9), archived(days=8)

    def listen(*, file: StoredFile, **_: Any) -> None:
        if file.pk == old.pk:
            raise RuntimeError("the owner failed")

    file_purged.connect(listen)
    try:
        assert run() == (0, 1)
    finally:
        file_purged.disconnect(listen)
    assert (fresh(old).state, fresh(young).state) == ("archived", "purging")
