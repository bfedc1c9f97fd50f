from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent
from chatvista.foundation import working
from chatvista.foundation.models import Job
from meetings.models import Meeting, Recording
from storage_sync.models import StoredFile, Upload, UploadState
from storage_sync.sides.multiparts import SMALLEST_PART
from storage_sync.uploading import finishing
from tests.meetings import making
from tests.meetings.api.resuming import objects
from tests.storage_sync.making import names_below, space

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom", "patient_leases")]

TONE = making.sound(seconds=1.0)
LONG = TONE + bytes(range(256)) * (SMALLEST_PART // 128)


def begin(client: APIClient, meeting: Meeting, **said: Any) -> Any:
    body = {"filename": "weekly.wav", "type": "audio/wav", "metadata": {"meeting": str(meeting.pk)} | said}
    return client.post("/api/v1/s3/multipart", body)


class Direct:
    """One upload past us, as Uppy does it."""

    def __init__(self, client: APIClient, meeting: Meeting, **said: Any) -> None:
        begun = begin(client, meeting, **said)
        assert begun.status_code == 200, begun.content
        self.client, self.key, self.id = client, begun.json()["key"], begun.json()["uploadId"]
        self.parts: list[dict[str, Any]] = []

    @property
    def row(self) -> Upload:
        return Upload.objects.get(pk=self.id)

    def ask(self, method: str, tail: str = "", body: object = None, key: str | None = None) -> Any:
        given = self.key if key is None else key
        sign = "&" if "?" in tail else "?"
        return getattr(self.client, method)(f"/api/v1/s3/multipart/{self.id}{tail}{sign}key={given}", body)

    def send(self, *pieces: bytes) -> Direct:
        for number, piece in enumerate(pieces, start=1):
            signed = self.ask("get", f"/{number}").json()
            with urlopen(Request(signed["url"], data=piece, method=signed["method"])) as answer:
                self.parts.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
        return self

    def complete(self, parts: list[dict[str, Any]] | None = None) -> Any:
        return self.ask("post", "/complete", {"parts": self.parts if parts is None else parts})


def pieces(data: bytes) -> tuple[bytes, bytes]:
    return data[:SMALLEST_PART], data[SMALLEST_PART:]


def run(job: Job) -> Job:
    working.run_job(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_parts_sent_to_the_space_become_a_recording(as_hana: APIClient, meeting: Meeting) -> None:
    upload = Direct(as_hana, meeting, transcribe=False, size=str(len(LONG))).send(*pieces(LONG))
    listed = upload.ask("get").json()
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [
        (1, SMALLEST_PART),
        (2, len(LONG) - SMALLEST_PART),
    ]
    answer = upload.complete()
    assert answer.status_code == 200
    told = answer.json()
    recording = Recording.objects.get(pk=told["recording"])
    assert (told["verified"], told["key"]) == (True, upload.key)
    assert told["location"].endswith(f"/api/v1/recordings/{recording.pk}")
    assert answer["X-ChatVista-Recording"] == str(recording.pk)
    file = recording.file
    assert (file.sha256, file.size, file.durability) == (hashlib.sha256(LONG).hexdigest(), len(LONG), "both")
    assert file.md5 == hashlib.md5(LONG).hexdigest()
    assert file.composite_md5.endswith("-2")
    # Twice is as good as once.
    assert upload.complete().json() == told
    assert (Recording.objects.count(), StoredFile.objects.count(), objects()) == (1, 1, [file.key])


def test_one_small_part_is_enough(as_hana: APIClient, meeting: Meeting) -> None:
    upload = Direct(as_hana, meeting).send(TONE)
    assert Recording.objects.get(pk=upload.complete().json()["recording"]).job is not None


def test_several_parts_are_signed_at_once(as_hana: APIClient, meeting: Meeting) -> None:
    upload = Direct(as_hana, meeting)
    signed = upload.ask("get", "/batch?partNumbers=1,2,7").json()["presignedUrls"]
    assert list(signed) == ["1", "2", "7"]
    assert all("X-Amz-Signature" in url for url in signed.values())
    for wrong in ("", "x", "0", "10001", "1;2"):
        answer = upload.ask("get", f"/batch?partNumbers={wrong}")
        assert (answer.status_code, answer.json()["code"]) == (400, "part_number_invalid")


@pytest.mark.parametrize("lie", ["missing", "other etag", "one more", "twice", "none"])
def test_a_list_of_parts_that_is_not_the_spaces_is_refused(as_hana: APIClient, meeting: Meeting, lie: str) -> None:
    upload = Direct(as_hana, meeting).send(*pieces(LONG))
    first, second = upload.parts
    told = {
        "missing": [first],
        "other etag": [first, second | {"ETag": '"' + "0" * 32 + '"'}],
        "one more": [first, second, {"PartNumber": 3, "ETag": '"x"'}],
        "twice": [first, second, second],
        "none": [],
    }[lie]
    answer = upload.complete(told)
    assert (answer.status_code, answer.json()["code"]) == (400, "parts_differ")
    assert upload.row.state == UploadState.OPEN
    # Nothing was spoilt by it.
    assert upload.complete().status_code == 200


def test_gaps_small_parts_and_other_sizes_are_refused(as_hana: APIClient, meeting: Meeting) -> None:
    small = Direct(as_hana, meeting).send(TONE, TONE)
    assert small.complete().json()["code"] == "parts_malformed"
    announced = Direct(as_hana, meeting, size=str(len(TONE) + 1)).send(TONE)
    assert announced.complete().json()["code"] == "parts_differ"
    nothing = Direct(as_hana, meeting)
    assert nothing.complete([]).json()["code"] == "empty_body"


def test_what_is_no_sound_is_refused_and_removed(as_hana: APIClient, meeting: Meeting, storeroom: Path) -> None:
    upload = Direct(as_hana, meeting).send(b"words, words, words" * 100)
    answer = upload.complete()
    assert (answer.status_code, answer.json()["code"]) == (415, "not_audio_or_video")
    assert (objects(), names_below(storeroom), StoredFile.objects.count()) == ([], [], 0)
    assert upload.complete().status_code == 415


def test_an_upload_that_is_ended_is_gone(as_hana: APIClient, meeting: Meeting) -> None:
    upload = Direct(as_hana, meeting).send(TONE)
    assert upload.ask("delete").status_code == 200
    for answer in (upload.complete(), upload.ask("get"), upload.ask("get", "/1"), upload.ask("delete")):
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
    assert not space().client.list_multipart_uploads(Bucket=space().space.bucket).get("Uploads")


def test_another_persons_upload_is_none(as_hana: APIClient, as_pavel: APIClient, meeting: Meeting) -> None:
    upload = Direct(as_hana, meeting).send(TONE)
    assert upload.ask("get", key="recordings/other").status_code == 404
    upload.client = as_pavel
    for answer in (upload.complete(), upload.ask("get"), upload.ask("get", "/1"), upload.ask("delete")):
        assert answer.status_code == 404


def test_it_is_said_where_it_is_not_offered(
    as_hana: APIClient, as_olga: APIClient, meeting: Meeting, settings: Any
) -> None:
    assert begin(as_olga, meeting).status_code == 404
    assert begin(as_hana, meeting, participant=str(uuid.uuid4())).status_code == 400
    assert begin(as_hana, meeting, size="many").status_code == 400
    assert as_hana.get("/api/v1/s3/params?filename=a&type=b").json()["code"] == "multipart_only"
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=True)
    refused = begin(as_hana, meeting)
    assert (refused.status_code, refused.json()["code"]) == (409, "confidential_uploads_go_through_us")
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=False)
    settings.SPACES_ENDPOINT = ""
    answer = begin(as_hana, meeting)
    assert (answer.status_code, answer.json()["code"]) == (409, "direct_uploads_need_a_space")
    assert not Upload.objects.exists()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is too large to be read at once."""
    monkeypatch.setattr(finishing, "AT_ONCE_BYTES", 1000)


@pytest.mark.usefixtures("later")
def test_a_large_file_is_visible_at_once_and_verified_by_a_job(as_hana: APIClient, meeting: Meeting) -> None:
    declared = hashlib.sha256(TONE).hexdigest()
    told = Direct(as_hana, meeting, sha256=declared).send(TONE).complete().json()
    assert told["verified"] is False
    shown = as_hana.get(f"/api/v1/recordings/{told['recording']}").json()
    assert (shown["verified"], shown["sha256"], shown["state"], shown["duration_ms"]) == (False, None, "stored", 1000)
    assert shown["storage"]["durability"] == "cloud"
    assert making.content_of(as_hana.get(f"/api/v1/recordings/{told['recording']}/content")) == TONE
    job = Job.objects.get()
    assert as_hana.get(f"/api/v1/jobs/{job.pk}").json()["kind"] == job.kind == "verification"

    assert run(job).state == "completed"
    shown = as_hana.get(f"/api/v1/recordings/{told['recording']}").json()
    assert (shown["verified"], shown["sha256"], shown["state"]) == (True, declared, "transcribing")
    assert shown["storage"]["durability"] == "both"
    assert as_hana.get(f"/api/v1/files/{shown['file']}").json()["verified"] is True
    assert Job.objects.filter(kind="transcribe").count() == 1


@pytest.mark.usefixtures("later")
def test_a_file_that_is_not_what_was_declared_is_put_aside(as_hana: APIClient, meeting: Meeting) -> None:
    told = Direct(as_hana, meeting, sha256="0" * 64).send(TONE).complete().json()
    job = run(Job.objects.get())
    assert (job.state, job.error_code) == ("failed", "digest_mismatch")
    shown = as_hana.get(f"/api/v1/recordings/{told['recording']}").json()
    assert (shown["state"], shown["verified"]) == ("failed", False)
    assert shown["job"]["error"]["code"] == "digest_mismatch"
    answer = as_hana.get(f"/api/v1/recordings/{told['recording']}/content")
    assert (answer.status_code, answer.json()["code"]) == (410, "file_quarantined")
    [aside] = objects()
    assert aside.startswith("quarantine/")
    assert AuditEvent.objects.filter(action="file.quarantined").exists()
    # Trying again says the same.
    assert as_hana.post(f"/api/v1/recordings/{told['recording']}/retry").status_code == 200
    assert run(Job.objects.get()).error_code == "digest_mismatch"


@pytest.mark.usefixtures("later")
def test_bytes_that_change_in_the_space_are_not_verified(as_hana: APIClient, meeting: Meeting) -> None:
    upload = Direct(as_hana, meeting).send(TONE)
    upload.complete()
    changed = TONE[:-1] + bytes([TONE[-1] ^ 1])
    space().client.put_object(Bucket=space().space.bucket, Key=upload.key, Body=changed)
    job = run(Job.objects.get())
    assert (job.state, job.error_code) == ("queued", "cloud_copy_damaged")
    space().client.put_object(Bucket=space().space.bucket, Key=upload.key, Body=TONE)
    Job.objects.filter(pk=job.pk).update(next_attempt_at="2020-01-01T00:00:00Z")
    assert run(job).state == "completed"
