from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from chatvista.foundation.models import Job
from meetings.models import Meeting, Recording
from storage_sync.models import StoredFile, Upload
from storage_sync.sides.multiparts import SMALLEST_PART
from tests.meetings import making
from tests.meetings.api.resuming import CHUNK, TUS, begin, begun, objects
from tests.storage_sync.making import names_below

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom", "patient_leases")]

TONE = making.sound(seconds=2.0)


def test_what_is_offered_is_told_to_anybody(settings: Any) -> None:
    answer = APIClient().options("/api/v1/uploads")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "expiration", "termination",
    }  # fmt: skip
    assert answer["Tus-Max-Size"] == str(settings.LARGEST_UPLOAD_BYTES)
    assert {"sha1", "sha256", "md5"} <= set(answer["Tus-Checksum-Algorithm"].split(","))


def test_a_chunked_upload_becomes_a_recording_with_both_copies(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    first = upload.patch(0, TONE[:1000])
    assert (first.status_code, first["Upload-Offset"]) == (204, "1000")
    assert "X-ChatVista-Recording" not in first
    assert upload.head()["Upload-Offset"] == "1000"
    last = upload.patch(1000, TONE[1000:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(TONE)))

    given = as_hana.get(f"/api/v1/recordings/{last['X-ChatVista-Recording']}").json()
    assert (given["original_name"], given["content_type"], given["size"]) == ("weekly.wav", "audio/wav", len(TONE))
    assert given["sha256"] == hashlib.sha256(TONE).hexdigest()
    assert (given["state"], given["storage"]["durability"]) == ("transcribing", "both")
    content = making.content_of(as_hana.get(f"/api/v1/recordings/{given['id']}/content"))
    assert content == TONE
    # Nothing but the file is left: no tail, no part, no temporary file.
    [file] = StoredFile.objects.all()
    assert objects() == [file.key]
    assert upload.head()["X-ChatVista-Recording"] == given["id"]


def test_the_first_chunk_may_come_with_the_creation(as_hana: APIClient, meeting: Meeting) -> None:
    answer = begin(as_hana, meeting, len(TONE), body=TONE[:500])
    assert (answer.status_code, answer["Upload-Offset"]) == (201, "500")
    whole = begin(as_hana, meeting, len(TONE), body=TONE)
    assert (whole.status_code, whole["Upload-Offset"]) == (201, str(len(TONE)))
    assert Recording.objects.get(pk=whole["X-ChatVista-Recording"]).file.sha256 == hashlib.sha256(TONE).hexdigest()


def test_twenty_chunks_of_one_byte_are_coalesced(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    for at in range(20):
        assert upload.patch(at, TONE[at : at + 1])["Upload-Offset"] == str(at + 1)
    assert len(objects()) == 1
    last = upload.patch(20, TONE[20:])
    assert Recording.objects.get(pk=last["X-ChatVista-Recording"]).file.sha256 == hashlib.sha256(TONE).hexdigest()


@pytest.mark.parametrize("cut", [1, 7_000_000, SMALLEST_PART * 3 + 5])
def test_parts_are_cut_at_fixed_places_whatever_the_chunks(as_hana: APIClient, meeting: Meeting, cut: int) -> None:
    long = making.sound(seconds=1.0) + bytes(range(256)) * 140_000
    upload = begun(as_hana, meeting, len(long), transcribe="false")
    for at in range(0, len(long), cut) if cut > 1 else (0, 1):
        answer = upload.patch(at, long[at : at + cut] if cut > 1 or at == 0 else long[1:])
        assert answer.status_code == 204, answer.content
    recording = Recording.objects.get(pk=answer["X-ChatVista-Recording"])
    assert recording.file.sha256 == hashlib.sha256(long).hexdigest()
    assert [part["size"] for part in upload.row.parts] == [16 << 20, 16 << 20, len(long) - (32 << 20)]
    assert recording.file.composite_md5.endswith("-3")


def test_without_a_space_the_bytes_wait_on_the_disk(
    as_hana: APIClient, meeting: Meeting, settings: Any, storeroom: Path
) -> None:
    settings.SPACES_ENDPOINT = ""
    upload = begun(as_hana, meeting, len(TONE))
    upload.patch(0, TONE[:1000])
    assert names_below(storeroom / "temp") == [f"uploads/{upload.row.pk}"]
    last = upload.patch(1000, TONE[1000:])
    recording = Recording.objects.get(pk=last["X-ChatVista-Recording"])
    assert recording.file.sha256 == hashlib.sha256(TONE).hexdigest()
    assert recording.file.durability == "local"
    assert names_below(storeroom) == [recording.file.key]


def test_metadata_says_who_is_heard_and_whether_to_listen(as_hana: APIClient, meeting: Meeting) -> None:
    pavel = meeting.participants.exclude(role="host").get()
    upload = begun(as_hana, meeting, len(TONE), participant=str(pavel.pk), transcribe="false", relativePath="null")
    recording = Recording.objects.get(pk=upload.patch(0, TONE)["X-ChatVista-Recording"])
    assert (recording.participant, recording.wants_transcript, recording.job) == (pavel, False, None)
    assert not Job.objects.exists()
    assert "participant" in upload.head()["Upload-Metadata"]


def test_post_may_stand_for_patch(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    headers = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    answer = upload.client.generic("POST", upload.address, TONE[:10], content_type=CHUNK, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (204, "10")
    assert upload.client.post(upload.address, headers=TUS).status_code == 405


def test_a_terminated_upload_is_gone_and_leaves_nothing(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    upload.patch(0, TONE[:1000])
    assert upload.delete().status_code == 204
    assert objects() == []
    for answer in (upload.patch(1000, TONE[1000:]), upload.delete()):
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
    assert upload.head().status_code == 410


def test_a_finished_upload_is_not_ended_but_its_recording_deleted(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    upload.patch(0, TONE)
    answer = upload.delete()
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_finished")
    assert Recording.objects.count() == 1
    # A repeated last chunk, empty as it must be, gets the same answer.
    assert "X-ChatVista-Recording" in upload.patch(len(TONE), b"")
    assert upload.patch(0, TONE).status_code == 409


def test_an_idempotency_key_begins_one_upload(as_hana: APIClient, meeting: Meeting) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = (begin(as_hana, meeting, 10, headers=key) for _ in range(2))
    assert first["Location"] == again["Location"]
    assert Upload.objects.count() == 1
    other = begin(as_hana, meeting, 11, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_the_recording_is_made_once_with_everything_that_follows(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    last = upload.patch(0, TONE)
    recording = Recording.objects.get()
    assert str(recording.pk) == last["X-ChatVista-Recording"]
    assert recording.job is not None
    assert recording.job.kind == "transcribe"
    assert upload.row.file == recording.file
