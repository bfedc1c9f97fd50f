"""Deleting is instant and can be taken back at every moment, whatever is killed while the bytes move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from storage_sync import keys
from storage_sync.giving import reading
from storage_sync.models import StoredFile
from storage_sync.retaining import archiving
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import LocalSide
from tests.storage_sync.making import WORDS, names_below, on_disk, put_in_cloud, space, state_of_copies, store

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for SIGKILL."""


def in_cloud() -> list[str]:
    return [found.key for found in space().page().found]


def run() -> dict[str, int]:
    return dict(archiving.move_archived())


def let_links_expire() -> None:
    StoredFile.objects.exclude(other_key="").update(other_key_until=in_seconds(-1))


def let_leases_expire() -> None:
    StoredFile.objects.exclude(lease_until=None).update(lease_until=in_seconds(-1))


def fresh(file: StoredFile) -> StoredFile:
    return StoredFile.objects.get(pk=file.pk)


def test_archiving_is_instant_and_moves_both_sides_later(storeroom: Path) -> None:
    file = store()
    live = file.key
    archiving.archive(file)
    assert (file.state, file.key) == ("archived", live)
    assert file.archived_at is not None
    assert run() == {"moved": 1}
    moved = fresh(file)
    assert moved.key == keys.archive_key(live)
    assert in_cloud() == names_below(storeroom) == [moved.key, live]
    assert run() == {}, "the old key waits for the links to it to expire"
    let_links_expire()
    assert run() == {"emptied": 1}
    assert in_cloud() == names_below(storeroom) == [moved.key]
    assert run() == {}
    assert fresh(file).other_key == ""


def test_restoring_brings_everything_back(storeroom: Path) -> None:
    file = store()
    live = file.key
    archiving.archive(file)
    run()
    let_links_expire()
    run()
    archiving.restore(file)
    assert (file.state, file.archived_at) == ("stored", None)
    assert reading.local_path(file).read_bytes() == WORDS
    assert run() == {"moved": 1}
    let_links_expire()
    assert run() == {"emptied": 1}
    assert fresh(file).key == live
    assert in_cloud() == names_below(storeroom) == [live]


def test_archiving_is_part_of_the_callers_transaction(storeroom: Path) -> None:
    file = store()

    def archive_and_fail() -> None:
        with transaction.atomic():
            archiving.archive(file)
            raise Problem("changed_my_mind", "No.")

    with pytest.raises(Problem):
        archive_and_fail()
    assert fresh(file).state == "stored"
    assert run() == {}


def test_doing_either_twice_changes_nothing(storeroom: Path) -> None:
    file = store()
    archiving.archive(file)
    since = fresh(file).archived_at
    archiving.archive(file)
    assert fresh(file).archived_at == since
    archiving.restore(file)
    archiving.restore(file)
    assert fresh(file).state == "stored"


@pytest.mark.parametrize("state", ["purging", "purged"])
def test_what_is_gone_cannot_be_restored(storeroom: Path, state: str) -> None:
    file = store()
    StoredFile.objects.update(state=state, purged_at=timezone.now())
    with pytest.raises(Problem) as caught:
        archiving.restore(file)
    assert (caught.value.status, caught.value.code) == (409, "not_restorable")


SEAMS = [
    (LocalSide, "copy", "before"),
    (LocalSide, "copy", "after"),
    (CloudSide, "copy", "before"),
    (CloudSide, "copy", "after"),
    (archiving, "_is_same", "after"),
    (LocalSide, "delete", "before"),
    (LocalSide, "delete", "after"),
    (CloudSide, "delete", "before"),
    (CloudSide, "delete", "after"),
]


def kill_at(monkeypatch: pytest.MonkeyPatch, target: Any, name: str, when: str) -> None:
    honest = getattr(target, name)

    def die(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            honest(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(target, name, die)


@pytest.mark.parametrize("then", ["restored", "left archived"])
@pytest.mark.parametrize(("target", "name", "when"), SEAMS)
def test_killed_at_any_step_the_bytes_are_always_there_and_end_in_one_place(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, target: Any, name: str, when: str, then: str
) -> None:
    file = store()
    live = file.key
    archiving.archive(file)
    with monkeypatch.context() as broken:
        kill_at(broken, target, name, when)
        if name == "delete":
            run()
            let_links_expire()
        with pytest.raises(Killed):
            run()
    if then == "restored":
        archiving.restore(file)
    now = fresh(file)
    assert reading.local_path(now).read_bytes() == WORDS
    assert b"".join(space().read(key=now.key)) == WORDS
    for _ in range(3):
        let_leases_expire()
        let_links_expire()
        run()
    home = live if then == "restored" else keys.archive_key(live)
    settled = fresh(file)
    assert (settled.key, settled.other_key) == (home, "")
    assert in_cloud() == names_below(storeroom) == [home]


def test_a_restore_while_the_bytes_are_copied_wins(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = store()
    live = file.key
    archiving.archive(file)
    honest = CloudSide.copy

    def restore_meanwhile(side: CloudSide, *, key: str, to: str) -> None:
        honest(side, key=key, to=to)
        archiving.restore(fresh(file))

    with monkeypatch.context() as raced:
        raced.setattr(CloudSide, "copy", restore_meanwhile)
        assert run() == {"taken_over": 1}
    assert (fresh(file).state, fresh(file).key) == ("stored", live)
    run()
    assert in_cloud() == names_below(storeroom) == [live]


def test_archiving_again_while_the_archive_is_emptied_is_not_forgotten(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store()
    archiving.archive(file)
    archiving.restore(file)
    honest = CloudSide.delete

    def archive_meanwhile(side: CloudSide, *, key: str) -> None:
        honest(side, key=key)
        archiving.archive(fresh(file))

    with monkeypatch.context() as raced:
        raced.setattr(CloudSide, "delete", archive_meanwhile)
        assert run() == {"taken_over": 1}
    assert run() == {"moved": 1}
    assert fresh(file).key.startswith("archive/")


def test_a_cloud_that_is_away_postpones_the_move(storeroom: Path, settings: Settings) -> None:
    file = store()
    archiving.archive(file)
    there = settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert run() == {"postponed": 1}
    assert run() == {}
    settings.SPACES_ENDPOINT = there
    let_links_expire()
    assert run() == {"moved": 1}


def test_a_damaged_copy_in_the_cloud_is_made_again(storeroom: Path) -> None:
    file = store()
    archiving.archive(file)
    put_in_cloud(keys.archive_key(file.key), b"not the same bytes")
    assert run() == {"postponed": 1}
    let_links_expire()
    assert run() == {"moved": 1}
    assert b"".join(space().read(key=fresh(file).key)) == WORDS


def test_one_side_is_enough_to_move_and_the_ledger_is_told(storeroom: Path) -> None:
    local_only, cloud_only = store(), store()
    space().delete(key=local_only.key)
    on_disk(cloud_only).unlink()
    for file in (local_only, cloud_only):
        archiving.archive(file)
    assert run() == {"moved": 2}
    assert state_of_copies(local_only)["cloud"] == "missing"
    assert local_only.copies.filter(side="cloud", next_attempt_at__isnull=False).exists(), "the engine makes it again"
    assert reading.local_path(fresh(cloud_only)).read_bytes() == WORDS


def test_a_cloud_that_seemed_empty_while_the_file_moved_loses_nothing(storeroom: Path) -> None:
    file = store()
    live = file.key
    archiving.archive(file)
    space().delete(key=live)
    assert run() == {"moved": 1}
    put_in_cloud(live, WORDS)
    let_links_expire()
    assert run() == {"emptied": 1}
    assert in_cloud() == [keys.archive_key(live)]
    assert b"".join(space().read(key=fresh(file).key)) == WORDS


def test_without_a_cloud_the_local_copy_moves(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_ENDPOINT = ""
    file = store()
    archiving.archive(file)
    assert run() == {"moved": 1}
    let_links_expire()
    assert run() == {"emptied": 1}
    assert names_below(storeroom) == [fresh(file).key]


def test_a_reader_that_knows_only_the_old_key_does_not_declare_the_file_lost(storeroom: Path) -> None:
    file = store()
    reader = fresh(file)
    archiving.archive(file)
    run()
    let_links_expire()
    run()
    with pytest.raises(Problem) as caught:
        reading.local_path(reader)
    assert (caught.value.code, caught.value.status) == ("storage_unavailable", 503)
    assert (fresh(file).state, fresh(file).durability) == ("archived", "both")


def test_a_run_that_takes_long_leaves_the_rest_to_the_next(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        archiving.archive(store())
    with monkeypatch.context() as short:
        short.setattr(archiving, "LONGEST_SECONDS", 0.0)
        assert run() == {}
    assert run() == {"moved": 2}
