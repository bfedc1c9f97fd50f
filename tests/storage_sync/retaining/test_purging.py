"""Removing a file for good: only what is archived and not held, completely, and taken up wherever it was killed."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.dispatch import Signal
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent
from chatvista.foundation.problems import Problem
from storage_sync.damage.quarantining import put_aside
from storage_sync.giving import reading, sharing
from storage_sync.keys import archive_key
from storage_sync.models import Copy, Deletion, Node, StoredFile
from storage_sync.retaining import archiving, holding, purging
from storage_sync.retaining.selecting import database_now
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import LocalSide, local
from storage_sync.signals import file_purged
from storage_sync.vocabulary import CopyState
from tests.storage_sync.making import WORDS, names_below, put_in_cloud, space, store
from tests.storage_sync.retaining.ageing import archived, fresh, let_time_pass, stored

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for SIGKILL."""


def in_cloud() -> list[str]:
    return [found.key for found in space().page().found]


def begin(file: StoredFile) -> bool:
    return purging.begin(file_id=file.pk, reason="A test.")


def run_until_purged() -> None:
    for _ in range(4):
        purging.carry_on()
        let_time_pass()


def test_a_purge_removes_both_sides_and_says_so_when_it_is_proven(storeroom: Path) -> None:
    file, other = archived(), store()
    archiving.move_archived()
    assert len(in_cloud()) == len(names_below(storeroom)) == 3, "the bytes lie under both names"
    assert begin(file)
    assert (fresh(file).state, Deletion.objects.get().completed_at) == ("purging", None)
    assert purging.carry_on() == {"emptied": 2}
    assert in_cloud() == names_below(storeroom) == [other.key]
    assert fresh(file).state == "purging", "what was under way may still arrive"
    assert purging.carry_on() == {}
    let_time_pass()
    assert purging.carry_on() == {"proven": 2, "purged": 1}
    gone = fresh(file)
    assert (gone.state, gone.other_key) == ("purged", "")
    assert gone.purged_at is not None
    assert {copy.state for copy in gone.copies.all()} == {CopyState.MISSING}
    assert purging.carry_on() == {}


def test_the_deletion_log_is_written_with_the_step_that_cannot_be_taken_back(storeroom: Path) -> None:
    file = archived(days=3)
    policy_id, operator = uuid.uuid4(), uuid.uuid4()
    assert purging.begin(file_id=file.pk, reason="Because.", policy_id=policy_id, ordered_by=operator)
    line = Deletion.objects.get()
    assert (line.file_id, line.tenant_id, line.category, line.size, line.sha256) == (
        file.pk, file.tenant_id, "recordings", len(WORDS), file.sha256,
    )  # fmt: skip
    assert (line.stored_at, line.archived_at) == (file.stored_at, file.archived_at)
    assert (line.reason, line.policy_id, line.ordered_by, line.completed_at) == ("Because.", policy_id, operator, None)
    run_until_purged()
    line.refresh_from_db()
    assert line.completed_at is not None
    assert line.completed_at >= line.begun_at
    told = AuditEvent.objects.filter(target_id=file.pk).order_by("pk").values_list("action", flat=True)
    assert list(told)[-2:] == ["file.purging", "file.purged"]


@pytest.mark.parametrize("state", ["stored", "purging", "purged", "lost", "quarantined"])
def test_nothing_but_an_archived_file_is_purged(storeroom: Path, state: str) -> None:
    file = archived()
    StoredFile.objects.update(state=state, purged_at=database_now())
    assert not begin(file)
    with pytest.raises(Problem) as caught:
        purging.order(file_id=file.pk, reason="An operator says so.")
    assert (caught.value.status, caught.value.code) == (409, "not_purgeable")
    assert not Deletion.objects.exists()


def test_a_held_file_is_not_purged_and_the_database_would_not_let_anybody(storeroom: Path) -> None:
    file = archived()
    holding.put_hold(file_id=file.pk, reason="A lawsuit.")
    assert not begin(file)
    with pytest.raises(Problem) as caught:
        purging.order(file_id=file.pk, reason="An operator says so.")
    assert caught.value.code == "legal_hold"
    with pytest.raises(DatabaseError), transaction.atomic():
        StoredFile.objects.filter(pk=file.pk).update(state="purging")
    archiving.restore(file)
    archiving.archive(file)
    holding.lift_hold(file_id=file.pk)
    assert begin(file)


def test_nothing_brings_a_purging_file_back(storeroom: Path) -> None:
    file = archived()
    begin(file)
    with pytest.raises(Problem) as caught:
        archiving.restore(fresh(file))
    assert (caught.value.status, caught.value.code) == (409, "not_restorable")
    for deed in (reading.local_path, lambda it: sharing.link(it, filename="x")):
        with pytest.raises(Problem) as caught:
            deed(fresh(file))
        assert (caught.value.status, caught.value.code) == (410, "file_purged")
    with pytest.raises(Problem) as caught:
        holding.put_hold(file_id=file.pk, reason="Too late.")
    assert caught.value.code == "file_purged"
    assert archiving.move_archived() == {}


def test_owners_are_told_once_and_in_the_same_transaction(storeroom: Path) -> None:
    file, told = archived(), []

    def listen(*, file: StoredFile, **_: Any) -> None:
        told.append((file.pk, file.state))
        if len(told) == 1:
            raise RuntimeError("the owner failed")

    signal: Signal = file_purged
    signal.connect(listen)
    try:
        with pytest.raises(RuntimeError):
            begin(file)
        assert (fresh(file).state, Deletion.objects.count()) == ("archived", 0)
        assert begin(file)
        assert not begin(file)
    finally:
        signal.disconnect(listen)
    assert told == [(file.pk, "purging")] * 2


def begin_and_end(file: StoredFile) -> None:
    begin(file)
    run_until_purged()


SEAMS = [
    (purging, "_write_down", "before"),
    (purging, "_write_down", "after"),
    (LocalSide, "delete", "before"),
    (LocalSide, "delete", "after"),
    (CloudSide, "delete", "before"),
    (CloudSide, "delete", "after"),
    (CloudSide, "head", "before"),
    (CloudSide, "head", "after"),
    (purging, "_complete", "before"),
    (purging, "_complete", "after"),
]


@pytest.mark.parametrize("has_moved", [False, True])
@pytest.mark.parametrize(("target", "name", "when"), SEAMS)
def test_killed_at_any_step_it_is_either_not_begun_or_ends(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, target: Any, name: str, when: str, has_moved: bool
) -> None:
    file = archived()
    if has_moved:
        archiving.move_archived()
    honest = getattr(target, name)

    def die(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            honest(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(target, name, die)
        with pytest.raises(Killed):
            begin_and_end(file)
    if name == "_write_down":
        assert (fresh(file).state, Deletion.objects.count()) == ("archived", 0)
        assert reading.local_path(fresh(file)).read_bytes() == WORDS
        return
    assert Deletion.objects.count() == 1, "no byte is gone that the log does not tell of"
    run_until_purged()
    assert fresh(file).state == "purged"
    assert in_cloud() == names_below(storeroom) == []
    assert Deletion.objects.get().completed_at is not None


def test_what_arrives_late_is_removed_before_the_file_counts_as_purged(storeroom: Path) -> None:
    file = archived()
    archiving.move_archived()
    begin(file)
    purging.carry_on()
    put_in_cloud(file.key, WORDS)  # a copy that somebody gave up waiting for
    let_time_pass()
    assert purging.carry_on()["purged"] == 1
    assert in_cloud() == []


def test_a_reader_that_knew_the_row_from_before_leaves_nothing(storeroom: Path) -> None:
    file = archived()
    reader = fresh(file)
    begin(file)
    on_cloud = Copy.objects.filter(file=file, side="cloud")
    on_cloud.update(next_attempt_at=database_now() + dt.timedelta(hours=1))
    assert purging.carry_on() == {"emptied": 1}
    assert reading.local_path(reader).is_file()
    assert not Copy.objects.filter(file=file, side="local").get().next_attempt_at
    run_until_purged()
    assert fresh(file).state == "purged"
    assert in_cloud() == names_below(storeroom) == []


def test_parts_of_an_upload_to_the_key_do_not_stay(storeroom: Path) -> None:
    file, side = archived(), space()
    for key in (file.key, "recordings/somebody-elses"):
        started = side.client.create_multipart_upload(Bucket=side.space.bucket, Key=key)
        side.client.upload_part(
            Bucket=side.space.bucket, Key=key, UploadId=started["UploadId"], PartNumber=1, Body=WORDS
        )  # fmt: skip
    begin(file)
    run_until_purged()
    left = side.client.list_multipart_uploads(Bucket=side.space.bucket).get("Uploads", [])
    assert file.key not in [upload["Key"] for upload in left]


def test_what_was_once_put_aside_of_the_file_does_not_stay(storeroom: Path) -> None:
    other = store()
    file = archived()
    for at in (file.key, archive_key(file.key)):
        put_in_cloud(at, WORDS)
        put_aside(side=space(), key=at)
        on_disk = local().path(at)
        on_disk.parent.mkdir(parents=True, exist_ok=True)
        on_disk.write_bytes(WORDS)
        put_aside(side=local(), key=at)
    put_aside(side=space(), key=other.key)
    assert len(list((storeroom / "quarantine").iterdir())) == 2
    begin(file)
    run_until_purged()
    assert fresh(file).state == "purged"
    assert list((storeroom / "quarantine").iterdir()) == []
    assert [key.partition("/recordings/")[2] for key in in_cloud()] == [other.key.removeprefix("recordings/")]


def test_a_space_that_is_away_postpones_and_nothing_is_said_to_be_gone(storeroom: Path, settings: Settings) -> None:
    file = archived()
    begin(file)
    there = settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert purging.carry_on() == {"emptied": 1, "postponed": 1}
    let_time_pass()
    settings.SPACES_ENDPOINT = ""
    assert purging.carry_on() == {"proven": 1, "postponed": 1}
    assert fresh(file).state == "purging"
    settings.SPACES_ENDPOINT = there
    let_time_pass()
    run_until_purged()
    assert (fresh(file).state, in_cloud()) == ("purged", [])


def test_a_living_node_is_waited_for_and_a_dead_one_empties_its_disk_when_it_is_back(
    storeroom: Path, settings: Settings
) -> None:
    file = stored()
    here, ours = settings.STORAGE_PATH, settings.STORAGE_NODE
    for node, dead in (("living", False), ("dead", True)):
        now = database_now()
        Node.objects.create(name=node, disk_id=uuid.uuid4(), heartbeat_at=now, died_at=now if dead else None)
        settings.STORAGE_PATH, settings.STORAGE_NODE = storeroom.parent / node, node
        reading.local_path(file)
    settings.STORAGE_PATH, settings.STORAGE_NODE = here, ours
    archiving.archive(file)
    begin(file)
    run_until_purged()
    assert fresh(file).state == "purging"
    settings.STORAGE_PATH, settings.STORAGE_NODE = storeroom.parent / "living", "living"
    run_until_purged()
    assert fresh(file).state == "purged"
    settings.STORAGE_PATH, settings.STORAGE_NODE = storeroom.parent / "dead", "dead"
    assert names_below(storeroom.parent / "dead") == [file.key]
    assert purging.carry_on() == {"emptied": 1}
    assert names_below(storeroom.parent / "dead") == []
