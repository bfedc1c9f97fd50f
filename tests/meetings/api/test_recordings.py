from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadhandler import FileUploadHandler
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation.models import Job
from meetings.models import Meeting, Participant, Recording
from storage_sync.models import StoredFile
from tests.meetings import making
from tests.meetings.api.uploading import TONE, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


def upload_over(
    client: APIClient, meeting: Meeting, wire: object, *, length: int, kind: str = "audio/wav", query: str = ""
) -> Any:
    """An upload whose body is whatever the wire gives."""
    environ: dict[str, Any] = {"wsgi.input": wire, "CONTENT_LENGTH": str(length), "QUERY_STRING": query}
    return client.generic("POST", f"/api/v1/meetings/{meeting.pk}/recordings", "", content_type=kind, **environ)


def nothing_is_left(storeroom: Path) -> bool:
    files = [path for path in storeroom.rglob("*") if path.is_file() and path.suffix in {".wav", ".part", ""}]
    return not Recording.objects.exists() and not StoredFile.objects.filter(state="stored").exists() and not files


def test_a_raw_body_becomes_a_recording_with_both_copies(as_hana: APIClient, meeting: Meeting) -> None:
    answer = upload(as_hana, meeting, headers={"Content-Disposition": 'attachment; filename="weekly.wav"'})
    assert answer.status_code == 201
    given = answer.json()
    assert (given["original_name"], given["content_type"], given["size"]) == ("weekly.wav", "audio/wav", len(TONE))
    assert given["sha256"] == hashlib.sha256(TONE).hexdigest()
    assert given["duration_ms"] == 1000
    assert (given["state"], given["job"]["state"], given["participant"]) == ("transcribing", "queued", None)
    assert given["storage"]["durability"] == "both"
    assert {(copy["side"], copy["state"]) for copy in given["storage"]["copies"]} == {
        ("local", "present"), ("cloud", "present"),
    }  # fmt: skip
    assert as_hana.get(answer["Location"]).json() == given
    assert as_hana.get(f"/api/v1/files/{given['file']}").json()["sha256"] == given["sha256"]
    assert as_hana.get(f"/api/v1/jobs/{given['job']['id']}").json()["kind"] == "transcribe"


def test_a_form_is_streamed_past_djangos_own_handlers(
    as_pavel: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("Django would keep the body in memory or in a temporary file")

    for handler in FileUploadHandler.__subclasses__():
        if handler.__module__.startswith("django."):
            monkeypatch.setattr(handler, "receive_data_chunk", refuse)
    body, kind = making.form(("note", None, b"ignored"), ("file", "träck.wav", TONE))
    answer = upload(as_pavel, meeting, body, content_type=kind)
    assert answer.status_code == 201
    assert (answer.json()["original_name"], answer.json()["size"]) == ("träck.wav", len(TONE))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="../../etc/passwd.wav"', "passwd.wav"),
        ("attachment; filename=plain.wav", "plain.wav"),
        ("attachment; filename*=UTF-8''%E4%BC%9A%E8%AD%B0.wav; filename=\"kaigi.wav\"", "会議.wav"),
        ("attachment; filename*=UTF-8''a%00%0Ab.wav", "ab.wav"),
        ('attachment; filename="C:\\\\rec\\\\a.wav"', "a.wav"),
        ("attachment", "recording.wav"),
        ("", "recording.wav"),
    ],
)
def test_the_name_of_a_recording_is_only_a_name(as_hana: APIClient, meeting: Meeting, header: str, name: str) -> None:
    answer = upload(as_hana, meeting, headers={"Content-Disposition": header} if header else None)
    assert answer.json()["original_name"] == name


def test_a_name_in_no_known_encoding_is_refused(as_hana: APIClient, meeting: Meeting) -> None:
    answer = upload(as_hana, meeting, headers={"Content-Disposition": "attachment; filename*=undefined''a.wav"})
    assert (answer.status_code, answer.json()["code"]) == (400, "disposition_malformed")


def test_a_track_of_one_participant_says_whose(as_hana: APIClient, meeting: Meeting, pavel: User) -> None:
    participant = Participant.objects.get(meeting=meeting, user=pavel)
    answer = upload(as_hana, meeting, query=f"?participant={participant.pk}&transcribe=false")
    assert answer.json()["participant"] == str(participant.pk)
    assert (answer.json()["job"], answer.json()["state"]) == (None, "stored")
    assert not Job.objects.exists()


@pytest.mark.parametrize("query", ["?participant=x", "?participant=", "?transcribe=maybe"])
def test_a_parameter_that_means_nothing_is_refused(as_hana: APIClient, meeting: Meeting, query: str) -> None:
    assert upload(as_hana, meeting, query=query).status_code == 400
    assert not Recording.objects.exists()


def test_a_participant_of_another_meeting_is_refused(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    other = making.meeting_of(hana).participants.get()
    answer = upload(as_hana, meeting, query=f"?participant={other.pk}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["participant"])


@pytest.mark.parametrize("as_form", [False, True])
@pytest.mark.parametrize("content", [b"Dear diary,\n" * 400, b"%PDF-1.7 nothing", b"\x00" * 5000])
def test_what_is_no_media_is_415_whatever_it_is_called(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, content: bytes, *, as_form: bool
) -> None:
    body, kind = making.form(("file", "meeting.mp4", content)) if as_form else (content, "video/mp4")
    answer = upload(
        as_hana, meeting, body, content_type=kind, headers={"Content-Disposition": "attachment; filename=meeting.mp4"}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "not_audio_or_video")
    assert nothing_is_left(storeroom)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "file_missing"),
        ([("file", None, TONE[:100])], "file_missing"),
        ([("track", "a.wav", TONE)], "file_missing"),
        ([("file", "", TONE)], "file_missing"),
        ([("file", "a.wav", TONE), ("file", "b.wav", TONE)], "too_many_files"),
        ([("file", "a.wav", b"")], "empty_body"),
    ],
)
def test_a_form_holds_exactly_one_file(
    as_hana: APIClient, meeting: Meeting, storeroom: Path, parts: list[tuple[str, str | None, bytes]], code: str
) -> None:
    body, kind = making.form(*parts)
    answer = upload(as_hana, meeting, body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert nothing_is_left(storeroom)


def test_a_form_that_breaks_off_is_not_a_shorter_recording(
    as_hana: APIClient, meeting: Meeting, storeroom: Path
) -> None:
    body, kind = making.form(("file", "a.wav", TONE))
    for cut in (10, len(TONE) // 2, len(TONE)):
        answer = upload(as_hana, meeting, body[:-cut], content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_cut_short")
    assert nothing_is_left(storeroom)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"]
)
def test_a_form_without_a_boundary_is_refused(as_hana: APIClient, meeting: Meeting, kind: str) -> None:
    answer = upload(as_hana, meeting, b"--x\r\n\r\n", content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_an_empty_body_is_refused(as_hana: APIClient, meeting: Meeting, storeroom: Path) -> None:
    answer = upload(as_hana, meeting, b"")
    assert (answer.status_code, answer.json()["code"]) == (400, "empty_body")
    assert nothing_is_left(storeroom)


def sealed(digest: bytes) -> dict[str, str]:
    return {"Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:"}


def test_what_arrives_must_have_the_digest_that_was_promised(
    as_hana: APIClient, meeting: Meeting, storeroom: Path
) -> None:
    right, wrong = hashlib.sha256(TONE).digest(), hashlib.sha256(b"else").digest()
    answer = upload(as_hana, meeting, headers=sealed(wrong))
    assert (answer.status_code, answer.json()["code"]) == (400, "digest_mismatch")
    both = ", ".join(sealed(digest)["Repr-Digest"] for digest in (right, wrong))
    for malformed in ("sha-256=:AA==:", "sha-256=abc", "sha-256", "SHA-256=:?:", both):
        assert upload(as_hana, meeting, headers={"Repr-Digest": malformed}).json()["code"] == "digest_malformed"
    assert nothing_is_left(storeroom)
    once = sealed(right)["Repr-Digest"]
    twice = ", ".join(["sha-512=:AA==:", once, once.replace("sha", "SHA")])
    assert upload(as_hana, meeting, headers={"Repr-Digest": twice}).status_code == 201


class Connection:
    """A request's body as a server presents it: some bytes, and then its end or an error."""

    def __init__(self, rest: bytes = b"", then: type[Exception] | None = None) -> None:
        self.rest, self.then = rest, then

    def read(self, size: int = -1) -> bytes:
        given, self.rest = self.rest[:size], self.rest[size:]
        if not given and self.then is not None:
            raise self.then
        return given

    readline = read


def refused_unread(
    client: APIClient, meeting: Meeting, *, length: int, kind: str = "audio/wav", query: str = ""
) -> Any:
    return upload_over(client, meeting, Connection(then=AssertionError), length=length, kind=kind, query=query)


@pytest.mark.parametrize("kind", ["audio/wav", "multipart/form-data; boundary=x"])
def test_a_body_beyond_the_limit_is_refused_unread(
    as_hana: APIClient, meeting: Meeting, settings: Settings, kind: str
) -> None:
    settings.MAX_BODY_BYTES = 1000
    answer = refused_unread(as_hana, meeting, length=200_000, kind=kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("kind", ["audio/wav", "multipart/form-data; boundary=x"])
def test_a_body_beyond_the_quota_is_refused_unread(as_hana: APIClient, meeting: Meeting, hana: User, kind: str) -> None:
    hana.organization.quota_bytes = len(TONE) + 10  # type: ignore[union-attr]  # Hana has one
    hana.organization.save()  # type: ignore[union-attr]  # as above
    assert upload(as_hana, meeting).status_code == 201
    answer = refused_unread(as_hana, meeting, length=200_000, kind=kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")


def test_who_may_not_is_told_before_the_body_is_read(
    as_olga: APIClient, as_pavel: APIClient, api_for: Any, meeting: Meeting, pavel: User, settings: Settings
) -> None:
    settings.MAX_BODY_BYTES = 1000
    assert refused_unread(api_for(None), meeting, length=9999).status_code == 401
    assert refused_unread(as_olga, meeting, length=9999).status_code == 404
    assert refused_unread(as_pavel, meeting, length=9999, query="participant=x").status_code == 400
    assert refused_unread(as_pavel, meeting, length=9999).status_code == 413
    Participant.objects.filter(user=pavel).update(role="observer")
    assert refused_unread(as_pavel, meeting, length=9999, query="participant=x").status_code == 403


def test_a_body_that_grows_beyond_the_limit_is_stopped(
    as_hana: APIClient, meeting: Meeting, settings: Settings, storeroom: Path
) -> None:
    settings.MAX_BODY_BYTES = 1000
    body, kind = making.form(("file", "a.wav", TONE))
    answer = upload(as_hana, meeting, body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert nothing_is_left(storeroom)


def test_a_body_shorter_than_announced_leaves_nothing(as_hana: APIClient, meeting: Meeting, storeroom: Path) -> None:
    answer = upload_over(as_hana, meeting, Connection(TONE[:5000]), length=len(TONE))
    assert (answer.status_code, answer.json()["code"]) == (400, "size_mismatch")
    assert nothing_is_left(storeroom)


def test_a_connection_that_breaks_is_no_fault_of_ours(as_hana: APIClient, meeting: Meeting, storeroom: Path) -> None:
    wire = Connection(TONE[:5000], then=ConnectionResetError)
    answer = upload_over(as_hana, meeting, wire, length=len(TONE))
    assert (answer.status_code, answer.json()["code"]) == (400, "body_cut_short")
    assert nothing_is_left(storeroom)


def test_the_same_key_makes_one_recording(as_hana: APIClient, meeting: Meeting) -> None:
    first = upload(as_hana, meeting, headers={"Idempotency-Key": "k"})
    again = upload(as_hana, meeting, headers={"Idempotency-Key": "k"})
    other = upload(as_hana, meeting, making.sound(seconds=0.5), headers={"Idempotency-Key": "k"})
    # A digest says nothing that the bytes do not.
    promised = upload(
        as_hana, meeting, headers={"Idempotency-Key": "k", **sealed(hashlib.sha256(TONE).digest())}
    )  # fmt: skip
    assert (again.status_code, again.json()) == (promised.status_code, promised.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert Recording.objects.count() == 1


def test_a_repeated_form_is_the_same_request_whatever_its_boundary(as_hana: APIClient, meeting: Meeting) -> None:
    answers = []
    for boundary in ("one", "another-one"):
        body, kind = making.form(("file", "a.wav", TONE), boundary=boundary)
        answers.append(upload(as_hana, meeting, body, content_type=kind, headers={"Idempotency-Key": "k"}).json())
    assert answers[0] == answers[1]


def test_a_key_whose_upload_was_refused_may_be_used_again(as_hana: APIClient, meeting: Meeting) -> None:
    assert upload(as_hana, meeting, b"", headers={"Idempotency-Key": "k"}).status_code == 400
    assert upload(as_hana, meeting, headers={"Idempotency-Key": "k"}).status_code == 201


def test_without_the_cloud_nothing_is_acknowledged_and_the_same_request_works_later(
    as_hana: APIClient, meeting: Meeting, settings: Settings, storeroom: Path
) -> None:
    there = settings.SPACES_ENDPOINT
    settings.SPACES_ENDPOINT = "http://127.0.0.1:9"
    answer = upload(as_hana, meeting, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert nothing_is_left(storeroom)
    assert as_hana.get(f"/api/v1/meetings/{meeting.pk}/recordings").json()["results"] == []
    settings.SPACES_ENDPOINT = there
    assert upload(as_hana, meeting, headers={"Idempotency-Key": "k"}).status_code == 201
