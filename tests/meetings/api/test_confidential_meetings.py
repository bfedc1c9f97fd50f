"""Confidential meetings: whatever they hold is sealed, and lies open again when they no longer are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation import working
from chatvista.foundation.models import Job
from chatvista.foundation.problems import TransientError
from meetings import capturing, exporting, sealing, transcribing
from meetings.models import Meeting, Recording
from storage_sync.arriving.receiving import Intake
from storage_sync.giving import reading
from storage_sync.models import StoredFile
from storage_sync.sealing import rewriting
from tests.meetings import making
from tests.meetings.conftest import Capture
from tests.storage_sync.sealing.test_sealed_files import everything_that_lies_about

pytestmark = pytest.mark.django_db(transaction=True)

MEETINGS = "/api/v1/meetings"


def change(client: APIClient, meeting: Meeting, *, confidential: bool) -> dict[str, Any]:
    answer = client.patch(f"{MEETINGS}/{meeting.pk}", {"confidential": confidential})
    assert answer.status_code == 200, answer.json()
    changed: dict[str, Any] = answer.json()
    return changed


def run(job_id: str) -> Job:
    Job.objects.filter(pk=job_id).update(next_attempt_at=Now())
    working.run_job(job_id=Job.objects.get(pk=job_id).pk)
    return Job.objects.get(pk=job_id)


def files_of(meeting: Meeting) -> list[StoredFile]:
    return [recording.file for recording in Recording.objects.filter(meeting=meeting).select_related("file")]


def lies_open(root: Path, sound: bytes) -> bool:
    """Whether any stretch of the sound lies anywhere in plaintext."""
    found = everything_that_lies_about(root)
    return any(sound[at : at + 64] in found for at in (44, len(sound) // 2, len(sound) - 64))


def test_a_recording_sent_to_a_confidential_meeting_never_lies_open(
    as_hana: APIClient, meeting: Meeting, storeroom: Path
) -> None:
    made = as_hana.post(MEETINGS, {"title": "Board", "confidential": True}).json()
    assert (made["confidential"], made["sealing_job"]) == (True, None)
    sound = making.sound(seconds=2.0)
    answer = as_hana.post(f"{MEETINGS}/{made['id']}/recordings?transcribe=false", data=sound, content_type="audio/wav")
    assert answer.status_code == 201, answer.json()
    recording = answer.json()
    assert recording["size"] == len(sound)
    content = as_hana.get(f"/api/v1/recordings/{recording['id']}/content")
    assert b"".join(content.streaming_content) == sound  # type: ignore[attr-defined]  # streamed
    part = as_hana.get(f"/api/v1/recordings/{recording['id']}/content", HTTP_RANGE="bytes=100-163")
    assert b"".join(part.streaming_content) == sound[100:164]  # type: ignore[attr-defined]  # streamed
    link = as_hana.get(f"/api/v1/recordings/{recording['id']}/content?redirect=true")["Location"]
    assert f"/api/v1/files/{recording['file']}/download" in link
    assert not lies_open(storeroom, sound)


def test_what_is_no_sound_is_refused_from_its_sealed_bytes_too(as_hana: APIClient, storeroom: Path) -> None:
    made = as_hana.post(MEETINGS, {"title": "Board", "confidential": True}).json()
    answer = as_hana.post(f"{MEETINGS}/{made['id']}/recordings", data=b"no sound" * 99, content_type="audio/wav")
    assert (answer.status_code, answer.json()["code"]) == (415, "not_audio_or_video")
    assert everything_that_lies_about(storeroom) == b""


def test_a_meeting_that_turns_confidential_has_all_its_files_sealed_and_opened_again(
    as_hana: APIClient, hana: User, meeting: Meeting, capture: Capture, storeroom: Path
) -> None:
    sound = making.sound(seconds=2.0)
    stays, goes = capture(data=sound, transcribe=False), capture(data=sound, transcribe=False)
    export = exporting.request_export(user=hana, minutes=making.minutes_of(meeting, hana), format="txt")
    run(str(export.job_id))
    capturing.archive_recording(user=hana, recording=goes)
    assert lies_open(storeroom, sound)
    changed = change(as_hana, meeting, confidential=True)
    assert changed["sealing_job"]["state"] == "queued"
    followed = as_hana.get(f"/api/v1/jobs/{changed['sealing_job']['id']}")
    assert (followed.status_code, followed.json()["kind"]) == (200, "sealing")
    assert run(changed["sealing_job"]["id"]).state == "completed"
    assert as_hana.get(f"{MEETINGS}/{meeting.pk}").json()["sealing_job"]["state"] == "completed"
    assert [file.is_confidential for file in files_of(meeting)] == [True, True]
    export.refresh_from_db()
    assert export.file is not None
    assert export.file.is_confidential
    assert not lies_open(storeroom, sound)
    assert b"Board meeting" not in everything_that_lies_about(storeroom)
    with reading.opened(export.file) as document:
        assert b"Board meeting" in document.read()
    restored = capturing.restore_recording(user=hana, recording=goes)
    with reading.opened(restored.file) as media:
        assert media.read() == sound
    back = change(as_hana, meeting, confidential=False)["sealing_job"]
    assert back["id"] != changed["sealing_job"]["id"]
    assert run(back["id"]).state == "completed"
    assert [file.sealed_key for file in files_of(meeting)] == [None, None]
    assert stays.pk in {recording.pk for recording in Recording.objects.filter(file__sealed_key__isnull=True)}
    assert lies_open(storeroom, sound)


def test_nothing_is_rewritten_when_nothing_changes(as_hana: APIClient, meeting: Meeting) -> None:
    assert change(as_hana, meeting, confidential=False)["sealing_job"] is None
    assert not Job.objects.exists()


@pytest.mark.parametrize("becomes", [True, False])
def test_an_upload_overtaken_by_the_change_follows_it(
    as_hana: APIClient, meeting: Meeting, hana: User, storeroom: Path, becomes: bool
) -> None:
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=not becomes)
    sound = making.sound(seconds=1.0)
    with Intake(category="recordings", largest=1 << 30, is_confidential=not becomes) as intake:
        intake.write(sound)
        first = change(as_hana, meeting, confidential=becomes)["sealing_job"]["id"]
        assert run(first).state == "completed"
        meeting.refresh_from_db()
        capturing.capture(user=hana, meeting=meeting, landed=intake.land(), original_name="a.wav", transcribe=False)
    meeting.refresh_from_db()
    assert meeting.sealing_job_id != Job.objects.get(pk=first).pk
    assert run(str(meeting.sealing_job_id)).state == "completed"
    [file] = files_of(meeting)
    assert file.is_confidential is becomes
    assert lies_open(storeroom, sound) is not becomes


def test_one_file_that_cannot_be_rewritten_does_not_keep_the_others(
    as_hana: APIClient, meeting: Meeting, capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = capture(transcribe=False), capture(transcribe=False)
    real = rewriting.rewrite

    def but_not_the_first(**given: Any) -> bool:
        if given["file_id"] == first.file_id:
            raise TransientError("cloud_unavailable", "The Space cannot be reached.")
        return real(**given)

    job = change(as_hana, meeting, confidential=True)["sealing_job"]["id"]
    with monkeypatch.context() as failing:
        failing.setattr(sealing, "rewrite", but_not_the_first)
        done = run(job)
    assert (done.state, done.error_code) == ("queued", "files_not_rewritten")
    second.file.refresh_from_db()
    assert second.file.is_confidential
    assert run(job).state == "completed"
    first.file.refresh_from_db()
    assert first.file.is_confidential


def test_a_promise_that_nobody_keeps_is_found_by_the_scan(meeting: Meeting, capture: Capture) -> None:
    capture(transcribe=False)
    assert sealing.look_after() == 0
    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=True)
    assert sealing.look_after() == 1
    assert sealing.look_after() == 0  # somebody is at it
    meeting.refresh_from_db()
    assert run(str(meeting.sealing_job_id)).state == "completed"
    assert files_of(meeting)[0].is_confidential
    Job.objects.update(state="failed")
    assert sealing.look_after() == 0


def test_who_does_not_see_the_meeting_does_not_see_its_job(
    as_hana: APIClient, as_olga: APIClient, meeting: Meeting
) -> None:
    job = change(as_hana, meeting, confidential=True)["sealing_job"]["id"]
    assert as_olga.get(f"/api/v1/jobs/{job}").status_code == 404


def test_a_sealed_recording_is_transcribed(
    as_hana: APIClient, hana: User, meeting: Meeting, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.meetings.test_transcribing import Engine, use  # noqa: PLC0415  its module-level marks are its own

    Meeting.objects.filter(pk=meeting.pk).update(is_confidential=True)
    use(Engine(), monkeypatch)
    with Intake(category="recordings", largest=1 << 30, is_confidential=True) as intake:
        intake.write(making.sound(seconds=1.0))
        recording = capturing.capture(user=hana, meeting=meeting, landed=intake.land(), original_name="a.wav")
    with transaction.atomic():
        assert recording.job is not None
    assert run(str(recording.job_id)).state == "completed"
    assert recording.job.kind == transcribing.KIND
