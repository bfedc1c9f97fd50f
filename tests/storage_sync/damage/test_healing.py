"""Trouble with the Space and the disk while a file is read: got over, healed, or said; never a wrong byte."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem
from storage_sync.giving import reading, serving
from storage_sync.models import Copy, Node, StoredFile
from storage_sync.sides.connecting import client_of, configured_space
from tests.fakes.s3_faults import Fault, FaultySpace
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


@pytest.mark.parametrize("kind", ["short_read", "reset_in_answer", "flip_answer", "slow_down", "reset"])
def test_trouble_on_the_way_is_got_over(away_from_here: StoredFile, faulty: FaultySpace, kind: Any) -> None:
    faulty.inject(Fault(kind, method="GET", key=away_from_here.key, at=5000))
    assert reading.local_path(away_from_here).read_bytes() == WORDS * 20
    assert state_of_copies(away_from_here) == {"local": "present", "cloud": "present"}


@pytest.mark.parametrize(("kind", "status"), [("slow_down", 503), ("reset", 503), ("hang", 503)])
def test_trouble_without_an_end_is_a_503_and_condemns_nothing(
    away_from_here: StoredFile, faulty: FaultySpace, kind: Any, status: int, monkeypatch: pytest.MonkeyPatch,
    storeroom: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("storage_sync.sides.cloud.CloudSide.client", property(lambda side: impatient()))
    faulty.inject(Fault(kind, key=away_from_here.key, times=0, seconds=30))
    began = time.monotonic()
    with pytest.raises(Problem) as caught:
        reading.stream(away_from_here)
    assert (caught.value.status, caught.value.code) == (status, "storage_unavailable")
    assert time.monotonic() - began < 30
    assert names_below(storeroom) == []
    assert state_of_copies(away_from_here)["cloud"] == "present"


def impatient() -> Any:
    there = configured_space()
    assert there is not None
    return client_of(there, read=0.5, attempts=1)


def test_a_bit_flipped_on_every_way_condemns_the_object_only_after_two_looks(
    away_from_here: StoredFile, faulty: FaultySpace
) -> None:
    Copy.objects.filter(file=away_from_here, side="local").update(node="another")
    put_in_cloud(away_from_here.key, flip_a_bit(WORDS * 20))
    faulty.forget()
    with pytest.raises(Problem, match="storage_unavailable"):
        reading.local_path(away_from_here)
    assert len(faulty.requests("GET", away_from_here.key)) == 2
    assert space().head(key=away_from_here.key) is None
    [aside] = space().page(prefix="quarantine/").found
    assert b"".join(space().read(key=aside.key)) == flip_a_bit(WORDS * 20)
    copy = Copy.objects.get(file=away_from_here, side="cloud")
    assert (copy.state, copy.lease_token, copy.next_attempt_at is not None) == ("corrupt", None, True)


@pytest.mark.parametrize("is_missing", [True, False])
def test_what_another_node_has_heals_the_space_and_then_this_node(
    storeroom: Path, settings: Settings, tmp_path: Path, is_missing: bool
) -> None:
    from storage_sync import syncing  # noqa: PLC0415  it stands above what is tested here

    here, there = settings.STORAGE_NODE, f"{settings.STORAGE_NODE}-2"
    settings.STORAGE_NODE, settings.STORAGE_PATH = there, tmp_path / "second"
    file = store(WORDS)
    settings.STORAGE_NODE, settings.STORAGE_PATH = here, storeroom
    if is_missing:
        space().delete(key=file.key)
    else:
        put_in_cloud(file.key, flip_a_bit(WORDS))
    with pytest.raises(Problem, match="storage_unavailable"):
        reading.local_path(file)
    settings.STORAGE_NODE, settings.STORAGE_PATH = there, tmp_path / "second"
    syncing.run()
    settings.STORAGE_NODE, settings.STORAGE_PATH = here, storeroom
    file.refresh_from_db()
    assert reading.local_path(file).read_bytes() == WORDS
    assert file.copies.get(side="cloud").state == "present"


def test_a_durable_disk_of_a_dead_node_keeps_a_file_from_being_lost(storeroom: Path) -> None:
    from django.utils import timezone  # noqa: PLC0415

    file = store(WORDS)
    on_disk(file).unlink()
    space().delete(key=file.key)
    Copy.objects.filter(file=file, side="local").update(node="another", state="missing")
    node = Node.objects.create(
        name="another", disk_id=file.pk, is_durable=True, heartbeat_at=timezone.now(), died_at=timezone.now()
    )  # fmt: skip
    with pytest.raises(Problem, match="storage_unavailable"):
        reading.local_path(file)
    assert StoredFile.objects.get().state == "stored"
    node.delete()
    with pytest.raises(Problem, match="file_lost"):
        reading.local_path(file)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_while_fetching_is_passed_by(
    away_from_here: StoredFile, number: int, monkeypatch: pytest.MonkeyPatch, storeroom: Path
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr("storage_sync.disk.fetching.os.fsync", full)
        assert b"".join(reading.stream(away_from_here)) == WORDS * 20
        with reading.opened(away_from_here) as source:
            assert source.read() == WORDS * 20
        with pytest.raises(Problem) as caught:
            reading.local_path(away_from_here)
    assert (caught.value.status, caught.value.code) == (507, "disk_full")
    assert names_below(storeroom) == []


def test_a_whole_answer_that_cannot_be_completed_breaks_off(
    storeroom: Path, faulty: FaultySpace, settings: Settings, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store(WORDS * 2000)
    on_disk(file).unlink()
    settings.DISK_RESERVE_BYTES = 2**60
    monkeypatch.setattr("storage_sync.sides.cloud.CloudSide.client", property(lambda side: impatient()))
    faulty.inject(
        Fault("reset_in_answer", method="GET", key=file.key, at=3_000_000),
        Fault("reset", method="GET", key=file.key, times=0),
    )
    answer: Any = serving.respond(rf.get("/x"), file, filename="a")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(file.size))
    got = bytearray()

    def take() -> None:
        for chunk in answer:
            got.extend(chunk)

    with pytest.raises(Exception, match="cloud_unavailable"):
        take()
    assert 0 < len(got) < file.size
    assert (WORDS * 2000).startswith(bytes(got))


def test_bytes_at_the_other_name_of_a_file_need_no_fetch(storeroom: Path, faulty: FaultySpace) -> None:
    file = store(WORDS)
    live = on_disk(file)
    archived = f"archive/{file.key}"
    space().copy(key=file.key, to=archived)
    StoredFile.objects.filter(pk=file.pk).update(key=archived)  # as another node does it
    file.refresh_from_db()
    faulty.forget()
    assert reading.local_path(file).read_bytes() == WORDS
    assert faulty.requests("GET") == []
    assert live.exists()


def test_a_damaged_copy_on_a_durable_disk_is_due_while_the_space_is_away(storeroom: Path, settings: Settings) -> None:
    file = store(WORDS)
    overwrite(on_disk(file), b"x" * len(WORDS))
    settings.DISK_DURABLE, settings.SPACES_ENDPOINT = True, "http://127.0.0.1:9"
    with pytest.raises(Problem, match="storage_unavailable"):
        reading.local_path(file)
    copy = file.copies.get(side="local")
    assert (copy.state, copy.next_attempt_at is not None) == ("corrupt", True)


@pytest.mark.slow
@pytest.mark.parametrize("header", ["", "bytes=1-5"])
def test_a_space_that_hangs_is_given_up_before_a_platform_gives_up_the_request(
    away_from_here: StoredFile, faulty: FaultySpace, rf: Any, header: str
) -> None:
    faulty.inject(Fault("hang", key=away_from_here.key, times=0, seconds=300))
    began = time.monotonic()
    with pytest.raises(Problem, match="storage_unavailable"):
        serving.respond(rf.get("/x", headers={"range": header} if header else {}), away_from_here, filename="a")
    assert time.monotonic() - began < 80
