from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from storage_sync.models import BlockDigests, StoredFile, Upload, UploadState
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.local import LocalSide
from storage_sync.sides.multiparts import Multipart
from storage_sync.uploading import ending, finishing, gathering, holding, purposes, storing
from storage_sync.uploading.sweeping import sweep
from storage_sync.uploading.taking import take_chunk
from tests.meetings.racing import race
from tests.storage_sync.making import flip_a_bit, names_below, space
from tests.storage_sync.uploading.conftest import Begin, Notes
from tests.storage_sync.uploading.sources import MIB, PART, Gate, Sent, noise

SMALL = b"Minutes of the last meeting. " * 100
LARGE = noise(5 * PART + 1000)


class KilledError(BaseException):
    """Nothing that comes after this line is done: as if by SIGKILL."""


def killed_at(place: Any, name: str, *, after: bool = False) -> Callable[[pytest.MonkeyPatch], None]:
    """Die where a function is called, or when it has done its work."""
    real = getattr(place, name)

    def die(*args: Any, **named: Any) -> None:
        if after:
            real(*args, **named)
        raise KilledError(name)

    return lambda patch: patch.setattr(place, name, die)


MOMENTS = {
    "before the parts are put together": killed_at(Multipart, "complete"),
    "after they were put together": killed_at(Multipart, "complete", after=True),
    "before the bytes are read": killed_at(gathering, "_hashed"),
    "after they were read": killed_at(gathering, "_sync", after=True),
    "before the local copy has its name": killed_at(LocalSide, "adopt"),
    "after it has": killed_at(LocalSide, "adopt", after=True),
    "before the transaction": killed_at(storing, "store"),
    "after the transaction": killed_at(storing, "store", after=True),
}


def let_the_lease_lapse(upload: Upload) -> None:
    """As it does when nobody is left to renew it."""
    Upload.objects.filter(pk=upload.pk, lease_until__isnull=False).update(lease_until=in_seconds(-1))


def the_only_file(upload: Upload, data: bytes, notes: Notes) -> StoredFile:
    """Exactly one file came of it, right on both sides, and nothing else is anywhere."""
    file = StoredFile.objects.get()
    assert (file.state, file.sha256, file.durability) == ("stored", hashlib.sha256(data).hexdigest(), "both")
    assert notes.owned.count(file.pk) == len(notes.owned) == 1
    row = Upload.objects.get(pk=upload.pk)
    assert (row.state, row.file_id) == (UploadState.FINISHED, file.pk)
    assert [found.key for found in space().page().found] == [file.key]
    return file


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("die", MOMENTS.values(), ids=MOMENTS)
def test_whoever_dies_in_between_there_is_one_file(
    begin: Begin,
    notes: Notes,
    storeroom: Path,
    monkeypatch: pytest.MonkeyPatch,
    die: Callable[[pytest.MonkeyPatch], None],
    data: bytes,
) -> None:
    # A process that is killed gives no lease back.
    upload = begin(len(data))
    with monkeypatch.context() as patch:
        patch.setattr(holding.Hold, "let_go", lambda self: None)
        die(patch)
        with pytest.raises(KilledError):
            take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    let_the_lease_lapse(upload)
    sweep()
    file = the_only_file(upload, data, notes)
    left = set(names_below(storeroom)) - {file.key}
    assert all(name.startswith("temp/") for name in left)
    assert sweep()["finished"] == 0


@pytest.mark.django_db(transaction=True)
def test_many_who_finish_the_same_upload_make_one_file(
    begin: Begin, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin(len(SMALL))
    with monkeypatch.context() as patch:
        MOMENTS["before the parts are put together"](patch)
        with pytest.raises(KilledError):
            take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL))
    row = Upload.objects.get(pk=upload.pk)
    assert row.state == UploadState.FINISHING
    outcomes = race([lambda: finishing.resume(Upload.objects.get(pk=upload.pk))] * 6)
    assert all(isinstance(one, Upload) or getattr(one, "code", "") == "upload_locked" for one in outcomes), outcomes
    the_only_file(upload, SMALL, notes)


@pytest.mark.django_db(transaction=True)
def test_a_slow_finisher_loses_to_the_one_who_took_over(begin: Begin, notes: Notes) -> None:
    upload, gate = begin(len(SMALL)), Gate(0)
    real = notes.probe

    def slow(row: Upload, media: Any) -> Any:
        if not gate.reached.is_set():
            gate(0)
        return real(row, media)

    purposes.register(purposes.Purpose("notes", refuse=notes.refuse, probe=slow, own=notes.own))

    def take_over() -> Upload:
        assert gate.reached.wait(30)
        Upload.objects.filter(pk=upload.pk).update(lease_until=in_seconds(-1), lease_token=uuid.uuid4())
        try:
            return finishing.resume(Upload.objects.get(pk=upload.pk))
        finally:
            gate.opened.set()

    late, first = race([lambda: take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL)), take_over])
    assert isinstance(first, Upload), first
    assert isinstance(late, Upload), late  # it says what the other has done
    the_only_file(upload, SMALL, notes)


@pytest.mark.django_db
@pytest.mark.usefixtures("patient_leases")
class TestRefusals:
    def test_bytes_that_come_back_changed_are_read_again(
        self, begin: Begin, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload, real = begin(len(SMALL)), CloudSide.read

        def flipped(self: CloudSide, **asked: Any) -> Any:
            for chunk in real(self, **asked):
                yield flip_a_bit(chunk)

        with monkeypatch.context() as patch:
            patch.setattr(CloudSide, "read", flipped)
            with pytest.raises(Problem) as caught:
                take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL))
        assert (caught.value.code, caught.value.status) == ("storage_unavailable", 503)
        assert not StoredFile.objects.exists()
        assert sweep()["finished"] == 1
        the_only_file(upload, SMALL, notes)

    def test_an_object_that_was_put_together_wrongly_is_not_taken(
        self, begin: Begin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload, real = begin(len(SMALL)), CloudSide.head

        def other(self: CloudSide, **asked: Any) -> Any:
            found = real(self, **asked)
            return None if found is None else type(found)(found.key, found.size, found.modified_at, "0" * 32 + "-1")

        with monkeypatch.context() as patch:
            patch.setattr(CloudSide, "head", other)
            with pytest.raises(Problem) as caught:
                take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL))
        assert caught.value.code == "upload_damaged"
        assert Upload.objects.get(pk=upload.pk).state == UploadState.FAILED
        assert space().page().found == []

    def test_who_may_no_longer_is_refused_and_nothing_kept(self, begin: Begin, notes: Notes, storeroom: Path) -> None:
        upload = begin(len(SMALL))
        notes.refusal = Problem("permission_denied", "No.", status=403)
        with pytest.raises(Problem):
            take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL))
        row = Upload.objects.get(pk=upload.pk)
        assert (row.state, row.problem["code"], row.parts) == (UploadState.FAILED, "permission_denied", [])
        assert (space().page().found, names_below(storeroom), notes.owned) == ([], [], [])

    def test_a_file_too_large_to_be_read_at_once_is_stored_unread(
        self, begin: Begin, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = begin(len(SMALL))
        monkeypatch.setattr(finishing, "AT_ONCE_SECONDS", -1.0)
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL))
        file = StoredFile.objects.get()
        assert (file.sha256, file.is_verified, file.durability) == (None, False, "cloud")

    def test_blocks_are_known_from_the_one_reading(self, begin: Begin) -> None:
        upload = begin(len(LARGE))
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(LARGE))
        digests = bytes(BlockDigests.objects.get(file__uploads=upload).digests)
        assert digests[:32] == hashlib.sha256(LARGE[:MIB]).digest()
        assert len(digests) == 32 * 3

    def test_without_room_on_the_disk_there_is_a_cloud_copy(
        self, begin: Begin, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = begin(len(SMALL))
        monkeypatch.setattr(gathering, "_has_room", lambda size: False)
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL))
        file = StoredFile.objects.get()
        assert (file.sha256, file.durability) == (hashlib.sha256(SMALL).hexdigest(), "cloud")


@pytest.mark.django_db
@pytest.mark.usefixtures("patient_leases")
class TestSweeping:
    def test_expired_uploads_give_everything_back(self, begin: Begin) -> None:
        upload = begin(len(LARGE))
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(LARGE[: PART + 10]))
        assert sweep().total() == 0
        Upload.objects.filter(pk=upload.pk).update(expires_at=Now())
        assert sweep()["expired"] == 1
        row = Upload.objects.get(pk=upload.pk)
        assert (row.state, row.multipart_id, row.tail_key) == (UploadState.TERMINATED, "", "")
        client, bucket = space().client, space().space.bucket
        assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")
        assert space().page().found == []

    def test_what_could_not_be_removed_is_tried_again(self, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
        upload = begin(len(SMALL))
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(SMALL[:10]))
        with monkeypatch.context() as patch:
            patch.setattr(CloudSide, "page", lambda self, **_: (_ for _ in ()).throw(OSError("away")))
            ending.terminate(Upload.objects.get(pk=upload.pk))
        assert Upload.objects.get(pk=upload.pk).tail_key
        assert sweep()["tidied"] == 1
        assert space().page().found == []

    def test_strays_of_uploads_that_are_over_go_after_an_hour(
        self, begin: Begin, storeroom: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload, going_on = begin(100), begin(100)
        for one in (upload, going_on):
            take_chunk(upload_id=one.pk, offset=0, body=Sent(b"x"))
        row = Upload.objects.get(pk=upload.pk)
        stray = f"{row.tail_key}-late"
        ending.terminate(row)
        client = space()
        client.client.put_object(Bucket=client.space.bucket, Key=stray, Body=b"late")
        assert sweep()["strays"] == 0
        monkeypatch.setattr("storage_sync.uploading.sweeping.STRAY_AGE", dt.timedelta(hours=-1))
        assert sweep()["strays"] == 1
        assert [found.key for found in client.page().found] == [Upload.objects.get(pk=going_on.pk).tail_key]
