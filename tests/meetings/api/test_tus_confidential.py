from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from meetings.models import Meeting, Recording
from storage_sync.arriving import receiving
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.uploading import finishing, holding, parting, resealing, taking
from storage_sync.uploading.sweeping import sweep
from tests.meetings import making
from tests.meetings.api.resuming import begin, begun, objects
from tests.storage_sync.making import names_below, space

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom", "patient_leases")]

MIB = 1024 * 1024
SECRET = b"The merger is called Nightingale. " * 100
SPOKEN = making.sound(seconds=1.0) + SECRET * 800


@pytest.fixture
def meeting(meeting: Meeting) -> Meeting:
    """What is said in it is not for everybody."""
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=True)
    meeting.refresh_from_db()
    return meeting


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut every MiB, so that a small file has several pieces."""
    monkeypatch.setattr(parting, "PART_BYTES", 2 * MIB)


def is_readable_anywhere(storeroom: Path) -> bool:
    """Whether somebody with the disk or the Space in their hands could read a word."""
    client, bucket = space().client, space().space.bucket
    lying = [client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in objects()]
    lying += [(storeroom / name).read_bytes() for name in names_below(storeroom)]
    return any(b"Nightingale" in data or data.startswith(b"RIFF") for data in lying)


def is_right(client: APIClient, recording: str) -> bool:
    shown = client.get(f"/api/v1/recordings/{recording}").json()
    content = making.content_of(client.get(f"/api/v1/recordings/{recording}/content"))
    return content == SPOKEN and shown["sha256"] == hashlib.sha256(SPOKEN).hexdigest()


def test_no_word_of_it_lies_anywhere_at_any_moment(as_hana: APIClient, meeting: Meeting, storeroom: Path) -> None:
    upload = begun(as_hana, meeting, len(SPOKEN), transcribe="false")
    for start, end in ((0, 700_000), (700_000, 1_900_000), (1_900_000, 1_900_001)):
        assert upload.patch(start, SPOKEN[start:end])["Upload-Offset"] == str(end)
        assert not is_readable_anywhere(storeroom)
    assert [part["size"] for part in upload.row.parts] == [MIB]
    last = upload.patch(1_900_001, SPOKEN[1_900_001:])
    recording = Recording.objects.get(pk=last["X-ChatVista-Recording"])
    assert (recording.file.is_confidential, recording.file.durability) == (True, "both")
    assert not is_readable_anywhere(storeroom)
    assert is_right(as_hana, str(recording.pk))
    # The pieces are gone; only the sealed file is left.
    assert objects() == [recording.file.key]
    assert upload.row.state == UploadState.FINISHED


def test_a_checksum_is_held_against_what_was_sent(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(as_hana, meeting, len(SPOKEN), transcribe="false", sha256=hashlib.sha256(SPOKEN).hexdigest())
    right = base64.b64encode(hashlib.sha256(SPOKEN).digest()).decode()
    assert upload.patch(0, SPOKEN[:-1] + b"?", Upload_Checksum=f"sha256 {right}").status_code == 460
    monkeypatch.setattr(taking, "LARGEST_IN_MEMORY", MIB)
    answer = upload.patch(0, SPOKEN, Upload_Checksum=f"sha256 {right}")
    assert (answer.status_code, answer.json()["code"]) == (413, "chunk_too_long")
    monkeypatch.setattr(taking, "LARGEST_IN_MEMORY", 32 * MIB)
    assert "X-ChatVista-Recording" in upload.patch(0, SPOKEN, Upload_Checksum=f"sha256 {right}")


def test_a_piece_that_was_changed_is_not_taken(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(SPOKEN))
    upload.patch(0, SPOKEN[:1_500_000])
    client, row = space(), upload.row
    key = row.parts[0]["key"]
    held = client.client.get_object(Bucket=client.space.bucket, Key=key)["Body"].read()
    client.client.put_object(Bucket=client.space.bucket, Key=key, Body=held[:-1] + bytes([held[-1] ^ 1]))
    answer = upload.patch(1_500_000, SPOKEN[1_500_000:])
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert upload.head().status_code == 423
    client.client.put_object(Bucket=client.space.bucket, Key=key, Body=held)
    assert is_right(as_hana, upload.head()["X-ChatVista-Recording"])


class KilledError(BaseException):
    """As if by SIGKILL."""


@pytest.mark.parametrize("moment", ["before it is received", "before it says so"])
def test_whoever_dies_in_between_there_is_one_recording(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    upload = begun(as_hana, meeting, len(SPOKEN), transcribe="false")

    def die(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        if moment == "before it is received":
            patch.setattr("storage_sync.arriving.receiving.receive", die)
        else:
            real = resealing._receive

            def receive_and_die(*given: Any) -> None:
                real(*given)
                die()

            patch.setattr(resealing, "_receive", receive_and_die)
        with pytest.raises(KilledError):
            upload.patch(0, SPOKEN)
    assert upload.row.state == UploadState.FINISHING
    assert sweep()["finished"] == 1
    [recording] = Recording.objects.all()
    assert is_right(as_hana, str(recording.pk))
    assert upload.row.file == recording.file
    assert not is_readable_anywhere(storeroom)
    assert StoredFile.objects.filter(state="stored").count() == 1


def test_an_attempt_that_came_to_nothing_is_made_again(
    as_hana: APIClient, meeting: Meeting, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, bucket = begun(as_hana, meeting, len(SPOKEN), transcribe="false"), settings.SPACES_BUCKET
    real = receiving.receive

    def lose_the_space(**given: Any) -> Any:
        settings.SPACES_BUCKET = "gone-for-a-moment"
        try:
            return real(**given)
        finally:
            settings.SPACES_BUCKET = bucket

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "receive", lose_the_space)
        assert upload.patch(0, SPOKEN).status_code == 503
    assert not Recording.objects.exists()
    assert is_right(as_hana, upload.head()["X-ChatVista-Recording"])


def test_a_large_one_is_sealed_when_nobody_waits(
    as_hana: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "AT_ONCE_BYTES", 1000)
    upload = begun(as_hana, meeting, len(SPOKEN), transcribe="false")
    assert upload.patch(0, SPOKEN).status_code == 503
    assert upload.head().status_code == 423
    assert sweep()["finished"] == 1
    assert is_right(as_hana, upload.head()["X-ChatVista-Recording"])


def test_ending_it_removes_every_piece(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(SPOKEN))
    upload.patch(0, SPOKEN[:2_500_000])
    assert len(objects()) == 3
    assert upload.delete().status_code == 204
    assert objects() == []
    assert Upload.objects.filter(parts=[]).exists()


def test_where_it_cannot_be_sealed_it_is_refused(
    as_hana: APIClient, as_pavel: APIClient, meeting: Meeting, settings: Any
) -> None:
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=False)
    begun_before = begun(as_hana, meeting, len(SPOKEN))
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=True)
    answer = begun_before.patch(0, SPOKEN)
    assert (answer.status_code, answer.json()["code"]) == (409, "became_confidential")
    assert objects() == []
    settings.SPACES_ENDPOINT = ""
    answer = begin(as_hana, meeting, 100)
    assert (answer.status_code, answer.json()["code"]) == (409, "confidential_uploads_go_through_us")


def test_leases_of_a_confidential_upload_are_like_any_other(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, 100)
    holding.hold(upload_id=upload.row.pk, state=UploadState.OPEN, offset=0)
    assert upload.patch(0, SPOKEN[:10]).status_code == 423
