"""Receiving: refused early, stored on both sides, or nothing at all."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from storage_sync.arriving import replicating, settling
from storage_sync.arriving.receiving import receive
from storage_sync.fingerprints import PART_BYTES
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import CloudSide
from storage_sync.signals import file_dropped, file_stored
from tests.storage_sync.making import WORDS, land, names_below, nobody, on_disk, space, state_of_copies, store

pytestmark = pytest.mark.django_db


def receive_landed(**wanted: Any) -> StoredFile:
    given: dict[str, Any] = {
        "landed": land(),
        "name": "a.flac",
        "content_type": "audio/flac",
        "extension": "flac",
        "tenant_id": None,
        "own": nobody,
        **wanted,
    }
    return receive(**given)


@pytest.mark.parametrize("size", [1, 100_000, PART_BYTES + 1])
def test_a_received_file_is_on_both_sides(storeroom: Path, size: int) -> None:
    data = os.urandom(size)
    file = store(data)
    assert file.state == "stored"
    assert file.stored_at is not None
    assert file.lease_token is None
    assert file.durability == "both"
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert on_disk(file).read_bytes() == data
    assert b"".join(space().read(key=file.key)) == data
    assert names_below(storeroom) == [file.key]


def test_a_client_gives_nothing_but_the_extension_to_the_key(storeroom: Path) -> None:
    file = store(name="../../etc/passwd\x00", extension="../x.FLAC", content_type="text/html; x\r\nA: b")
    assert file.key.endswith(".flac")
    assert "passwd" not in file.key
    assert file.name == "../../etc/passwd"
    assert file.content_type == "application/octet-stream"


def test_without_a_cloud_the_disk_alone_holds_it(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_ENDPOINT = ""
    file = store()
    assert file.durability == "local"
    assert state_of_copies(file) == {"local": "present"}


def test_the_owner_is_written_before_and_follow_up_work_after(storeroom: Path) -> None:
    seen: list[tuple[str, str]] = []

    def on_stored(sender: object, file: StoredFile, **kwargs: Any) -> None:
        seen.append(("stored", file.state))

    file_stored.connect(on_stored)
    try:
        store(own=lambda file: seen.append(("own", file.state)))
    finally:
        file_stored.disconnect(on_stored)
    assert seen == [("own", "reserved"), ("stored", "stored")]


def test_an_audit_record_is_announced(storeroom: Path) -> None:
    events: list[audit.Event] = []

    def listen(sender: object, event: audit.Event, **kwargs: Any) -> None:
        events.append(event)

    audit.announced.connect(listen)
    try:
        file = store()
    finally:
        audit.announced.disconnect(listen)
    assert [(event.action, event.target_id) for event in events] == [("file.stored", file.pk)]


def test_an_owner_that_refuses_leaves_nothing(storeroom: Path) -> None:
    def refuse(file: StoredFile) -> None:
        raise Problem("gone", "The meeting was deleted.", status=409)

    with pytest.raises(Problem, match="gone"):
        store(own=refuse)
    assert not StoredFile.objects.exists()
    assert names_below(storeroom) == []
    assert space().page().found == []


def test_a_cloud_that_is_away_is_503_and_nothing_is_visible(storeroom: Path, settings: Settings) -> None:
    there = settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    dropped: list[uuid.UUID] = []

    def on_dropped(sender: object, file: StoredFile, **kwargs: Any) -> None:
        dropped.append(file.pk)

    file_dropped.connect(on_dropped)
    try:
        with pytest.raises(Problem) as caught:
            store()
    finally:
        file_dropped.disconnect(on_dropped)
    assert (caught.value.code, caught.value.status) == ("storage_unavailable", 503)
    assert caught.value.retry_after
    assert names_below(storeroom) == []
    file = StoredFile.objects.get()
    assert (file.state, dropped) == ("abandoned", [file.pk])
    settings.SPACES_ENDPOINT = there
    assert store().durability == "both"


def test_a_cloud_that_refuses_is_503_as_well(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_SECRET_KEY = "not the secret"
    with pytest.raises(Problem) as caught:
        store()
    assert caught.value.status == 503
    assert names_below(storeroom) == []


def test_a_damaged_cloud_copy_is_replaced_under_a_new_key(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, put_keys = CloudSide.put, []

    def damage_once(side: CloudSide, *, key: str, **rest: Any) -> None:
        put_keys.append(key)
        if len(put_keys) == 1:
            side.client.put_object(Bucket=side.space.bucket, Key=key, Body=b"x" * len(WORDS))
        else:
            honest(side, key=key, **rest)

    monkeypatch.setattr(CloudSide, "put", damage_once)
    file = store()
    assert len(set(put_keys)) == 2
    assert file.key == put_keys[1]
    assert [found.key for found in space().page().found] == [file.key]
    assert names_below(storeroom) == [file.key]
    assert b"".join(space().read(key=file.key)) == WORDS


def test_a_cloud_that_always_damages_is_503(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damage(side: CloudSide, *, key: str, **rest: Any) -> None:
        side.client.put_object(Bucket=side.space.bucket, Key=key, Body=b"damaged")

    monkeypatch.setattr(CloudSide, "put", damage)
    with pytest.raises(Problem) as caught:
        store()
    assert caught.value.status == 503
    assert space().page().found == []
    assert names_below(storeroom) == []


def test_a_follow_up_that_refuses_abandons_the_file(storeroom: Path) -> None:
    def refuse(sender: object, file: StoredFile, **kwargs: Any) -> None:
        raise Problem("cancelled", "The meeting was cancelled meanwhile.", status=409)

    file_stored.connect(refuse)
    try:
        with pytest.raises(Problem, match="cancelled"):
            store()
    finally:
        file_stored.disconnect(refuse)
    assert StoredFile.objects.get().state == "abandoned"


def test_losing_the_lease_to_a_sweeper_that_finished_is_success(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = replicating.put_verified

    def be_slow(*, file: StoredFile, token: uuid.UUID, **rest: Any) -> None:
        honest(file=file, token=token, **rest)
        settling.finish(file_id=file.pk, token=token, on_cloud=True, on_local=True)

    monkeypatch.setattr(replicating, "put_verified", be_slow)
    assert store().state == "stored"


def test_losing_the_lease_to_a_sweeper_that_dropped_is_503(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def be_slow(*, file: StoredFile, token: uuid.UUID, **rest: Any) -> None:
        settling.drop(file_id=file.pk, token=token)

    monkeypatch.setattr(replicating, "put_verified", be_slow)
    with pytest.raises(Problem) as caught:
        store()
    assert caught.value.status == 503
    assert StoredFile.objects.get().state == "abandoned"


def test_a_pulse_renews_the_lease_and_feels_its_loss(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "RENEW_SECONDS", 0.0)
    before: list[Any] = []

    def watch(*, file: StoredFile, token: uuid.UUID, pulse: Any, **rest: Any) -> None:
        StoredFile.objects.filter(pk=file.pk).update(lease_until="2026-01-01T00:00:00Z")
        pulse()
        before.append(StoredFile.objects.get(pk=file.pk).lease_until)
        StoredFile.objects.filter(pk=file.pk).update(lease_token=uuid.uuid4())
        pulse()

    monkeypatch.setattr(replicating, "put_verified", watch)
    with pytest.raises(Problem) as caught:
        store()
    assert caught.value.status == 503
    assert before[0].year > 2026 or before[0].month > 1


def test_an_ambiguous_commit_is_left_to_the_sweeper(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_connection(**kwargs: Any) -> StoredFile:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(settling, "finish", lose_the_connection)
    with pytest.raises(OperationalError):
        store()
    file = StoredFile.objects.get()
    assert file.state == "reserved"
    assert names_below(storeroom) == [file.key]


def test_bytes_go_to_the_disk_once(storeroom: Path) -> None:
    landed = land()
    inode = landed.path.stat().st_ino
    file = receive_landed(landed=landed)
    assert on_disk(file).stat().st_ino == inode


def test_used_bytes_count_what_is_stored_or_coming(storeroom: Path) -> None:
    tenant = uuid.uuid4()
    stored, archived = store(b"x" * 100, tenant_id=tenant), store(b"x" * 30, tenant_id=tenant)
    store(b"x" * 7)
    StoredFile.objects.filter(pk=archived.pk).update(state="archived", archived_at=stored.stored_at)
    assert StoredFile.objects.used_bytes(tenant) == 100
    StoredFile.objects.filter(pk=stored.pk).update(
        state="reserved", lease_token=uuid.uuid4(), lease_until=stored.stored_at
    )
    assert StoredFile.objects.used_bytes(tenant) == 100
    assert StoredFile.objects.used_bytes(uuid.uuid4()) == 0
