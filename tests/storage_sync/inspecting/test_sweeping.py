"""A receipt cut at any step ends as a whole file or as nothing (guarantees G2 and the adopting sweeper)."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import PermanentError
from storage_sync import fingerprints
from storage_sync.arriving import replicating, settling
from storage_sync.inspecting import sweeping
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import local
from storage_sync.signals import file_dropped, file_stored
from tests.storage_sync.making import (
    WORDS,
    flip_a_bit,
    names_below,
    on_disk,
    overwrite,
    put_in_cloud,
    space,
    state_of_copies,
    store,
)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for SIGKILL: no `except Exception` sees it."""


def die(*args: Any, **kwargs: Any) -> Any:
    raise Killed


@pytest.fixture
def announced() -> Any:
    heard: list[str] = []

    def on_stored(sender: object, **kwargs: Any) -> None:
        heard.append("stored")

    def on_dropped(sender: object, **kwargs: Any) -> None:
        heard.append("dropped")

    file_stored.connect(on_stored)
    file_dropped.connect(on_dropped)
    yield heard
    file_stored.disconnect(on_stored)
    file_dropped.disconnect(on_dropped)


def cut(monkeypatch: pytest.MonkeyPatch, target: Any, name: str, instead: Callable[..., Any] = die) -> StoredFile:
    """A reservation whose process was killed in that call, its lease run out."""
    with monkeypatch.context() as broken:
        broken.setattr(target, name, instead)
        with pytest.raises(Killed):
            store()
    run_out()
    return StoredFile.objects.get()


def run_out() -> None:
    StoredFile.objects.filter(state="reserved").update(lease_until=in_seconds(-1))


def test_killed_before_the_put_it_is_finished(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, announced: list[str]
) -> None:
    cut(monkeypatch, replicating, "put_verified")
    assert sweeping.sweep_reservations()["finished"] == 1
    file = StoredFile.objects.get()
    assert (file.state, file.durability, announced) == ("stored", "both", ["stored"])
    assert b"".join(space().read(key=file.key)) == WORDS


def test_killed_within_the_put_it_is_finished(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, announced: list[str]
) -> None:
    cut(monkeypatch, CloudSide, "_put_whole")
    sweeping.sweep_reservations()
    assert StoredFile.objects.get().durability == "both"


def test_killed_between_the_put_and_its_check_it_is_finished_without_a_second_put(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(monkeypatch, replicating, "vouches")
    with monkeypatch.context() as watched:
        watched.setattr(CloudSide, "_put_whole", die)
        assert sweeping.sweep_reservations()["finished"] == 1


def test_killed_before_the_last_commit_it_is_finished(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, settling, "finish")
    sweeping.sweep_reservations()
    assert StoredFile.objects.get().durability == "both"
    assert sweeping.sweep_reservations().total() == 0


def test_killed_in_the_first_commit_nothing_is_known(storeroom: Path) -> None:
    with pytest.raises(Killed):
        store(own=die)
    assert not StoredFile.objects.exists()
    assert names_below(storeroom) == []


def test_the_cloud_alone_is_enough_when_the_disk_is_gone(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cut(monkeypatch, settling, "finish")
    on_disk(file).unlink()
    sweeping.sweep_reservations()
    assert StoredFile.objects.get().durability == "cloud"
    assert state_of_copies(file) == {"local": "missing", "cloud": "present"}


def test_without_bytes_on_any_side_it_is_dropped(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, announced: list[str]
) -> None:
    file = cut(monkeypatch, replicating, "put_verified")
    on_disk(file).unlink()
    assert sweeping.sweep_reservations()["dropped"] == 1
    assert (StoredFile.objects.get().state, announced) == ("abandoned", ["dropped"])


def test_damaged_bytes_are_not_adopted(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cut(monkeypatch, replicating, "put_verified")
    overwrite(on_disk(file), flip_a_bit(WORDS))
    put_in_cloud(file.key, flip_a_bit(WORDS, at=20))
    assert sweeping.sweep_reservations()["dropped"] == 1


def test_a_damaged_object_is_replaced_from_a_good_disk(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cut(monkeypatch, replicating, "put_verified")
    put_in_cloud(file.key, flip_a_bit(WORDS))
    sweeping.sweep_reservations()
    finished = StoredFile.objects.get()
    assert finished.key != file.key
    assert [found.key for found in space().page().found] == [finished.key]
    assert b"".join(space().read(key=finished.key)) == on_disk(finished).read_bytes() == WORDS


def test_a_living_reservation_is_left_alone(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cut(monkeypatch, replicating, "put_verified")
    StoredFile.objects.update(lease_until=in_seconds(60))
    assert sweeping.sweep_reservations().total() == 0
    assert StoredFile.objects.get().lease_token == file.lease_token


def test_a_process_that_was_only_slow_cannot_commit_any_more(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cut(monkeypatch, replicating, "put_verified")
    sweeping.sweep_reservations()
    assert file.lease_token is not None
    with pytest.raises(LeaseLostError):
        settling.finish(file_id=file.pk, token=file.lease_token, on_cloud=True, on_local=True)
    assert not settling.drop(file_id=file.pk, token=file.lease_token)
    assert StoredFile.objects.get().state == "stored"


def test_a_lease_is_renewed_while_the_disk_is_read(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, beats = cut(monkeypatch, replicating, "put_verified"), []
    monkeypatch.setattr(fingerprints, "PULSE_BYTES", 1)
    monkeypatch.setattr(settling.Lease, "__call__", lambda lease: beats.append(lease.file_id))
    monkeypatch.setattr(replicating, "put_verified", die)
    with pytest.raises(Killed):
        sweeping.sweep_reservations()
    assert beats == [file.pk] * len(WORDS)


def test_a_cloud_that_is_away_leaves_it_for_later(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    file = cut(monkeypatch, replicating, "put_verified")
    there = settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    assert sweeping.sweep_reservations()["later"] == 1
    assert StoredFile.objects.get().state == "reserved"
    assert on_disk(file).exists()
    settings.SPACES_ENDPOINT = there
    run_out()
    assert sweeping.sweep_reservations()["finished"] == 1


def test_one_that_cannot_be_settled_does_not_hold_up_the_others(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(replicating, "put_verified", die)
        for _ in range(3):
            with pytest.raises(Killed):
                store()
    run_out()
    refused = StoredFile.objects.order_by("pk")[0].pk

    def refuse_one(sender: object, file: StoredFile, **kwargs: Any) -> None:
        if file.pk == refused:
            raise RuntimeError("a fault of an owner")

    file_stored.connect(refuse_one)
    try:
        verdicts = sweeping.sweep_reservations()
    finally:
        file_stored.disconnect(refuse_one)
    assert (verdicts["finished"], verdicts["failed"]) == (2, 1)
    assert StoredFile.objects.get(pk=refused).state == "reserved"


def test_bytes_on_another_node_are_left_to_it_for_a_while(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    cut(monkeypatch, replicating, "put_verified")
    settings.STORAGE_NODE = "another"
    settings.STORAGE_PATH = storeroom.parent / "another"
    assert sweeping.sweep_reservations().total() == 0
    StoredFile.objects.update(lease_until=in_seconds(-sweeping.GRACE_SECONDS - 1))
    assert sweeping.sweep_reservations()["dropped"] == 1


def test_what_was_abandoned_is_removed_and_never_adopted(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cut(monkeypatch, settling, "finish")
    assert file.lease_token is not None
    assert settling.drop(file_id=file.pk, token=file.lease_token)
    sweeping.sweep_reservations()
    assert not on_disk(file).exists()
    assert space().head(key=file.key) is not None, "a PUT may still arrive: the cloud is cleared later"
    Copy.objects.update(next_attempt_at=in_seconds(-1))
    assert sweeping.sweep_reservations()["leftovers"] == 1
    assert space().page().found == []
    assert state_of_copies(file) == {"local": "missing", "cloud": "missing"}
    assert StoredFile.objects.get().state == "abandoned"


def test_a_leftover_that_may_not_be_removed_does_not_stop_the_sweep(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    file = cut(monkeypatch, settling, "finish")
    assert file.lease_token is not None
    assert settling.drop(file_id=file.pk, token=file.lease_token)
    Copy.objects.update(next_attempt_at=in_seconds(-1))
    old = storeroom / "temp" / "old.part"
    old.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermanentError("cloud_refused", "The key may not delete.")

    monkeypatch.setattr(CloudSide, "delete", refuse)
    assert sweeping.sweep_reservations()["temporary"] == 1
    assert Copy.objects.get(side="cloud").state == "pending"
    assert not Copy.objects.leftovers(node=settings.STORAGE_NODE).exists()


def test_a_sweep_that_takes_long_leaves_the_rest_to_the_next(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(replicating, "put_verified", die)
        for _ in range(3):
            with pytest.raises(Killed):
                store()
    run_out()
    with monkeypatch.context() as short:
        short.setattr(sweeping, "LONGEST_SECONDS", 0.0)
        assert sweeping.sweep_reservations()["finished"] == 0
    assert sweeping.sweep_reservations()["finished"] == 3


def test_old_temporary_files_are_removed_and_young_ones_kept(storeroom: Path) -> None:
    local().lay_out()
    old, young = storeroom / "temp" / "old.part", storeroom / "temp" / "young.part"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert sweeping.sweep_reservations()["temporary"] == 1
    assert (old.exists(), young.exists()) == (False, True)


def test_a_stored_file_is_never_touched(storeroom: Path) -> None:
    file = store()
    StoredFile.objects.update(lease_until=Now(), lease_token=uuid.uuid4())
    assert sweeping.sweep_reservations().total() == 0
    assert names_below(storeroom) == [file.key]
