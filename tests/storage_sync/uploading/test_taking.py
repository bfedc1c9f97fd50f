from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db.models.functions import Now

from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import Problem, TransientError
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.multiparts import Multipart
from storage_sync.uploading import holding, taking
from storage_sync.uploading.parting import Parting
from storage_sync.uploading.taking import Checksum, take_chunk
from tests.storage_sync.making import space
from tests.storage_sync.uploading.conftest import Begin
from tests.storage_sync.uploading.sources import PART, Chunked, Sent, breaking_at, noise, parts_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]


def offset_of(upload: Upload) -> int:
    return Upload.objects.get(pk=upload.pk).offset


def finished(upload: Upload, data: bytes) -> bool:
    file = StoredFile.objects.get(uploads=upload)
    return (file.state, file.sha256) == ("stored", hashlib.sha256(data).hexdigest())


def lapse(upload: Upload) -> None:
    """Nobody has renewed the lease."""
    Upload.objects.filter(pk=upload.pk).update(lease_until=in_seconds(-1))


@pytest.mark.parametrize("cut_at", [1, 300_000, PART - 1, PART, PART + 1, PART * 2 + 12_345])
def test_what_came_before_the_connection_broke_is_kept(begin: Begin, cut_at: int) -> None:
    data = noise(PART * 2 + 20_000)
    upload = begin(len(data))
    with pytest.raises(Problem) as caught:
        # It breaks between two reads.
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:cut_at], announced=len(data)))
    assert caught.value.code == "body_cut_short"
    assert offset_of(upload) == cut_at
    take_chunk(upload_id=upload.pk, offset=cut_at, body=Sent(data[cut_at:]))
    assert finished(upload, data)


def test_a_connection_that_fails_loudly_keeps_as_much(begin: Begin) -> None:
    data = noise(PART + 500_000)
    upload = begin(len(data))
    with pytest.raises(Problem):
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(data, before=breaking_at(PART + 1)))
    at = offset_of(upload)
    assert PART < at < len(data)
    take_chunk(upload_id=upload.pk, offset=at, body=Sent(data[at:]))
    assert finished(upload, data)


def test_a_long_request_ends_early_with_what_it_has(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "READING_SECONDS", 0.0)
    data = noise(500_000)
    upload = begin(len(data))
    assert take_chunk(upload_id=upload.pk, offset=0, body=Sent(data)).offset == 0
    monkeypatch.setattr(taking, "READING_SECONDS", 60.0)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    assert finished(upload, data)


def test_a_body_of_unknown_length_is_taken_up_to_its_end(begin: Begin) -> None:
    data = noise(400_000)
    upload = begin(len(data))
    assert take_chunk(upload_id=upload.pk, offset=0, body=Chunked(data[:250_000])).offset == 250_000
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=250_000, body=Chunked(data[250_000:] + b"!"))
    assert (caught.value.code, offset_of(upload)) == ("chunk_too_long", 250_000)
    take_chunk(upload_id=upload.pk, offset=250_000, body=Chunked(data[250_000:]))
    assert finished(upload, data)


def test_a_checksum_covers_the_whole_chunk_before_any_of_it_counts(begin: Begin) -> None:
    data = noise(PART + 100)
    upload = begin(len(data))
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(data), checksum=Checksum("sha1", b"x" * 20))
    assert (caught.value.status, offset_of(upload)) == (460, 0)
    # Not even a part of it has gone to the Space, where it could not be replaced.
    assert Upload.objects.get(pk=upload.pk).multipart_id == ""
    cut, right = Sent(data[:-1], announced=len(data)), Checksum("md5", hashlib.md5(data).digest())
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=cut, checksum=right)
    assert (caught.value.code, offset_of(upload)) == ("body_cut_short", 0)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data), checksum=right)
    assert finished(upload, data)


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_space_that_fails_leaves_the_offset_behind_what_it_has(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    data, real = noise(PART * 3 + 10), Multipart.put
    upload = begin(len(data))

    def put(self: Multipart, *, number: int, **more: Any) -> str:
        if number == fails:
            raise TransientError("cloud_unavailable", "down")
        return real(self, number=number, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Multipart, "put", put)
        with pytest.raises(Problem) as caught:
            take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    assert (caught.value.code, caught.value.status) == ("storage_unavailable", 503)
    at = offset_of(upload)
    assert at == (fails - 1) * PART
    take_chunk(upload_id=upload.pk, offset=at, body=Sent(data[at:]))
    assert finished(upload, data)


def test_a_tail_that_cannot_be_kept_leaves_the_offset(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    data = noise(1000)
    upload = begin(len(data))
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:10]))

    def refuse(self: CloudSide, **_: object) -> None:
        raise TransientError("cloud_unavailable", "down")

    with monkeypatch.context() as patch:
        patch.setattr(CloudSide, "put", refuse)
        with pytest.raises(Problem):
            take_chunk(upload_id=upload.pk, offset=10, body=Sent(data[10:20]))
    assert offset_of(upload) == 10
    take_chunk(upload_id=upload.pk, offset=10, body=Sent(data[10:]))
    assert finished(upload, data)


def test_a_tail_that_was_changed_is_not_built_upon(begin: Begin) -> None:
    upload = begin(1000)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(b"a" * 10))
    row = Upload.objects.get(pk=upload.pk)
    space().client.put_object(Bucket=space().space.bucket, Key=row.tail_key, Body=b"b" * 10)
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=10, body=Sent(b"a" * 10))
    assert (caught.value.status, offset_of(upload)) == (503, 10)


def test_what_comes_back_late_commits_nothing(begin: Begin) -> None:
    data, side = noise(PART * 2 + 7), cloud()
    assert side is not None
    upload = begin(len(data))
    slow = holding.hold(upload_id=upload.pk, state=UploadState.OPEN, offset=0)
    late = Parting(hold=slow, side=side, until=1e12)
    late.write(data[: PART + 5])
    lapse(upload)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:100]))
    with pytest.raises(LeaseLostError):
        late.finish()
    late.close()
    slow.let_go()
    assert offset_of(upload) == 100
    take_chunk(upload_id=upload.pk, offset=100, body=Sent(data[100:]))
    assert finished(upload, data)
    assert Upload.objects.get(pk=upload.pk).state == UploadState.FINISHED


def test_a_held_upload_is_locked_until_its_lease_runs_out(begin: Begin) -> None:
    upload = begin(10)
    holding.hold(upload_id=upload.pk, state=UploadState.OPEN, offset=0)
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(b"0123456789"))
    assert (caught.value.code, caught.value.status) == ("upload_locked", 423)
    lapse(upload)
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(b"0123456789"))
    assert finished(upload, b"0123456789")


def test_parts_that_were_sent_but_not_acknowledged_are_sent_again(begin: Begin) -> None:
    data, side = noise(PART * 2 + 7), cloud()
    assert side is not None
    upload = begin(len(data))
    killed = Parting(hold=holding.hold(upload_id=upload.pk, state=UploadState.OPEN, offset=0), side=side, until=1e12)
    killed.write(data[:PART])
    for sending in killed._sending:
        sending.answer.result(timeout=60)
    killed.close()
    lapse(upload)
    assert offset_of(upload) == 0
    assert parts_of(Upload.objects.get(pk=upload.pk)) == [(1, PART)]
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data))
    assert finished(upload, data)


def test_an_upload_the_space_has_forgotten_is_gone(begin: Begin) -> None:
    data, side = noise(PART + 7), cloud()
    assert side is not None
    upload = begin(len(data))
    take_chunk(upload_id=upload.pk, offset=0, body=Sent(data[:PART]))
    row = Upload.objects.get(pk=upload.pk)
    Multipart(side, row.key, row.multipart_id).abort()
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            take_chunk(upload_id=upload.pk, offset=PART, body=Sent(data[PART:]))
        assert (caught.value.code, caught.value.status) == ("upload_gone", 410)
    assert Upload.objects.get(pk=upload.pk).state == UploadState.FAILED


def test_an_expired_upload_takes_nothing(begin: Begin) -> None:
    upload = begin(10)
    Upload.objects.filter(pk=upload.pk).update(expires_at=Now())
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(b"0123456789"))
    assert (caught.value.code, caught.value.status) == ("upload_gone", 410)


def test_a_disk_without_room_takes_nothing(begin: Begin, settings: Any) -> None:
    upload = begin(10)
    settings.DISK_RESERVE_BYTES = 1 << 62
    with pytest.raises(Problem) as caught:
        take_chunk(upload_id=upload.pk, offset=0, body=Sent(b"0123456789"))
    assert (caught.value.code, caught.value.status, offset_of(upload)) == ("disk_full", 507, 0)
