from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from meetings.models import Meeting, Recording
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.uploading import beginning
from tests.meetings import making
from tests.meetings.api.resuming import CHUNK, TUS, Resuming, begin, begun, metadata, objects
from tests.storage_sync.making import names_below

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom", "patient_leases")]

TONE = making.sound(seconds=2.0)


@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_another_version_of_the_protocol_is_refused(as_hana: APIClient, meeting: Meeting, version: str | None) -> None:
    headers = {"Upload-Length": "3", "Upload-Metadata": metadata(meeting=str(meeting.pk))}
    headers |= {"Tus-Resumable": version} if version else {}
    answer = as_hana.generic("POST", "/api/v1/uploads", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (412, "tus_version_not_supported")
    assert (answer["Tus-Version"], answer["Tus-Resumable"]) == ("1.0.0", "1.0.0")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Upload-Length": ""}, 400, "upload_length_required"),
        ({"Upload-Length": "", "Upload-Defer-Length": "1"}, 400, "upload_length_required"),
        ({"Upload-Length": "-3"}, 400, "upload_length_required"),
        ({"Upload-Length": "0"}, 400, "empty_body"),
        ({"Upload-Length": "9" * 18}, 413, "body_too_large"),
        ({"Upload-Length": "9" * 30}, 413, "body_too_large"),
        ({"Upload-Concat": "partial"}, 400, "concatenation_not_supported"),
        ({"Upload-Metadata": ""}, 400, "validation_failed"),
        ({"Upload-Metadata": "meeting ???"}, 400, "upload_metadata_malformed"),
        ({"Upload-Metadata": "meeting YQ==,meeting YQ=="}, 400, "upload_metadata_malformed"),
        ({"Upload-Metadata": "meeting YQ=="}, 400, "validation_failed"),
        ({"Upload-Metadata": "meeting AAAA"}, 400, "upload_metadata_malformed"),
        ({"Upload-Metadata": "x " + "A" * 9000}, 400, "upload_metadata_malformed"),
    ],
)
def test_a_beginning_that_says_nonsense_is_refused(
    as_hana: APIClient, meeting: Meeting, headers: dict[str, str], status: int, code: str
) -> None:
    answer = begin(as_hana, meeting, 100, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("said", "field"),
    [({"participant": "nobody"}, "participant"), ({"transcribe": "perhaps"}, "transcribe")],
)
def test_metadata_is_validated(as_hana: APIClient, meeting: Meeting, said: dict[str, Any], field: str) -> None:
    answer = begin(as_hana, meeting, 100, **said)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


@pytest.mark.parametrize(
    ("offset", "kind", "status", "code"),
    [
        ("5", CHUNK, 409, "upload_offset_conflict"),
        ("", CHUNK, 400, "upload_offset_malformed"),
        ("-1", CHUNK, 400, "upload_offset_malformed"),
        ("9" * 30, CHUNK, 409, "upload_offset_conflict"),
        ("0", "application/octet-stream", 415, "unsupported_media_type"),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused(
    as_hana: APIClient, meeting: Meeting, offset: str, kind: str, status: int, code: str
) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    answer = upload.client.generic(
        "PATCH", upload.address, TONE[:10], content_type=kind, headers=TUS | {"Upload-Offset": offset}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert upload.head()["Upload-Offset"] == "0"


def test_more_than_was_announced_is_refused_and_nothing_of_it_kept(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, 100)
    answer = upload.patch(0, TONE[:101])
    assert (answer.status_code, answer.json()["code"]) == (413, "chunk_too_long")
    assert upload.head()["Upload-Offset"] == "0"
    assert objects() == []


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_wrong_checksum_leaves_the_offset(as_hana: APIClient, meeting: Meeting, algorithm: str) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    answer = upload.patch(0, TONE[:1000], Upload_Checksum=f"{algorithm} {wrong}")
    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert answer.json()["title"] == "Checksum Mismatch"
    assert (upload.head()["Upload-Offset"], objects()) == ("0", [])
    right = base64.b64encode(hashlib.new(algorithm, TONE).digest()).decode()
    assert "X-ChatVista-Recording" in upload.patch(0, TONE, Upload_Checksum=f"{algorithm} {right}")


@pytest.mark.parametrize(
    ("said", "code"), [("crc32 AAAA", "checksum_not_supported"), ("sha1 ???", "checksum_malformed")]
)
def test_a_checksum_that_cannot_be_read_is_refused(
    as_hana: APIClient, meeting: Meeting, said: str, code: str
) -> None:  # fmt: skip
    answer = begun(as_hana, meeting, len(TONE)).patch(0, TONE, Upload_Checksum=said)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_what_is_no_sound_is_refused_at_the_end_and_leaves_nothing(
    as_hana: APIClient, meeting: Meeting, storeroom: Path
) -> None:
    upload = begun(as_hana, meeting, 5000)
    answer = upload.patch(0, b"just words " * 454 + b"words!")
    assert (answer.status_code, answer.json()["code"]) == (415, "not_audio_or_video")
    assert upload.row.state == UploadState.FAILED
    again = upload.patch(5000, b"")
    assert (again.status_code, again.json()["code"]) == (415, "not_audio_or_video")
    assert (upload.head().status_code, objects(), names_below(storeroom)) == (415, [], [])
    assert not Recording.objects.exists()
    assert not StoredFile.objects.exists()


def test_a_declared_sha256_is_held_against_the_whole(as_hana: APIClient, meeting: Meeting) -> None:
    right = begun(as_hana, meeting, len(TONE), sha256=hashlib.sha256(TONE).hexdigest())
    assert "X-ChatVista-Recording" in right.patch(0, TONE)
    wrong = begun(as_hana, meeting, len(TONE), sha256="0" * 64)
    answer = wrong.patch(0, TONE)
    assert (answer.status_code, answer.json()["code"]) == (400, "digest_mismatch")
    assert Recording.objects.count() == 1
    malformed = begin(as_hana, meeting, len(TONE), sha256="short")
    assert (malformed.status_code, malformed.json()["code"]) == (400, "digest_malformed")


def resuming(client: APIClient, upload: Resuming) -> Resuming:
    """The same upload without its own token, as whoever that client is."""
    return Resuming(client, upload.address.partition("?")[0])


def test_the_uploads_own_token_opens_it_alone(
    as_hana: APIClient, as_pavel: APIClient, as_olga: APIClient, meeting: Meeting
) -> None:
    upload, other = begun(as_hana, meeting, len(TONE)), begun(as_hana, meeting, len(TONE))
    assert upload.head().status_code == 200
    assert resuming(as_hana, upload).head().status_code == 200
    assert resuming(APIClient(), upload).head().status_code == 401
    # Whoever sees the meeting does not go on with another's upload, nor learn of it.
    for stranger in (as_pavel, as_olga):
        assert resuming(stranger, upload).head().status_code == 404
        assert resuming(stranger, upload).patch(0, TONE).status_code == 404
        assert resuming(stranger, upload).delete().status_code == 404
    token = upload.address.partition("?")[2]
    crossed = Resuming(APIClient(), f"{other.address.partition('?')[0]}?{token}")
    assert crossed.head().status_code == 401
    assert Resuming(APIClient(), upload.address[:-3] + "AAA").head().status_code == 401


def test_an_expired_access_token_does_not_end_an_upload(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    client = APIClient(headers={"Authorization": "Bearer long.gone.token"})
    assert Resuming(client, upload.address).patch(0, TONE[:5])["Upload-Offset"] == "5"


def test_signing_out_ends_the_token(as_hana: APIClient, meeting: Meeting) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    assert as_hana.post("/api/v1/auth/logout", {}).status_code == 204
    assert upload.head().status_code == 401


def test_who_may_not_record_may_not_begin(
    as_olga: APIClient, meeting: Meeting, hana: Any, api_for: Any
) -> None:  # fmt: skip
    assert begin(as_olga, meeting, 10).status_code == 404
    auditor = making.somebody(hana, role="auditor")
    assert begin(api_for(auditor), meeting, 10).status_code == 403


def test_open_uploads_count_against_the_quota(as_hana: APIClient, meeting: Meeting, hana: Any) -> None:
    hana.organization.quota_bytes = len(TONE) * 2
    hana.organization.save()
    first = begun(as_hana, meeting, len(TONE))
    second = begun(as_hana, meeting, len(TONE))
    refused = begin(as_hana, meeting, 1)
    assert (refused.status_code, refused.json()["code"]) == (413, "quota_exceeded")
    # Finished ones count once, ended ones no more.
    assert "X-ChatVista-Recording" in first.patch(0, TONE)
    assert second.delete().status_code == 204
    assert begin(as_hana, meeting, len(TONE)).status_code == 201
    assert begin(as_hana, meeting, 1).status_code == 413


def test_a_quota_that_shrank_meanwhile_refuses_the_end(as_hana: APIClient, meeting: Meeting, hana: Any) -> None:
    upload = begun(as_hana, meeting, len(TONE))
    hana.organization.quota_bytes = len(TONE) - 1
    hana.organization.save()
    answer = upload.patch(0, TONE)
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
    assert (objects(), Recording.objects.count()) == ([], 0)


def test_nobody_opens_uploads_without_end(
    as_hana: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "MOST_OPEN", 2)
    first = begun(as_hana, meeting, 10)
    begun(as_hana, meeting, 10)
    answer = begin(as_hana, meeting, 10)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_uploads")
    first.delete()
    assert begin(as_hana, meeting, 10).status_code == 201


def test_who_left_the_meeting_finishes_nothing(as_pavel: APIClient, meeting: Meeting, pavel: Any) -> None:
    upload = begun(as_pavel, meeting, len(TONE))
    meeting.participants.filter(user=pavel).delete()
    answer = upload.patch(0, TONE)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (objects(), Recording.objects.count()) == ([], 0)
