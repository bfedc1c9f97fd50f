"""Recordings as they come in, and what a crash on the way leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.http import Http404
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from chatvista.foundation.records import uuid7
from meetings import capturing, exporting
from meetings.audio.probing import probe
from meetings.models import Export, Meeting, Recording, Transcript
from storage_sync.arriving.intake import Intake
from storage_sync.models import StoredFile
from tests.meetings import making
from tests.meetings.conftest import Capture
from tests.meetings.racing import race

pytestmark = pytest.mark.django_db


def test_a_stored_recording_queues_exactly_one_transcript(capture: Capture) -> None:
    recording = capture()
    assert recording.file.durability == "both"
    assert Transcript.objects.get().job == recording.job
    assert Job.objects.filter(kind="transcribe").count() == 1
    assert recording.state == "transcribing"
    # A reservation is stored once, whoever finishes it.
    assert AuditEvent.objects.filter(action="recording.stored", target_id=recording.pk).count() == 1


def test_without_wish_for_a_transcript_none_is_queued(capture: Capture, hana: User) -> None:
    recording = capture(transcribe=False)
    assert recording.state == "stored"
    assert not Job.objects.exists()
    capturing.retry_transcription(user=hana, recording=recording)
    capturing.retry_transcription(user=hana, recording=recording)
    assert Transcript.objects.count() == 1


def test_what_is_no_media_leaves_no_row_and_no_byte(capture: Capture, storeroom: Path) -> None:
    with pytest.raises(Problem) as caught:
        capture(data=b"Dear all, please find the minutes attached.\n" * 50)
    assert (caught.value.code, caught.value.status) == ("not_audio_or_video", 415)
    assert not StoredFile.objects.exists()
    assert not [path for path in storeroom.rglob("*") if path.is_file()]


def test_a_meeting_trashed_during_the_upload_takes_nothing(capture: Capture, meeting: Meeting, storeroom: Path) -> None:
    Meeting.objects.update(archived_at=timezone.now())
    with pytest.raises(Http404):
        capture()
    assert not Recording.objects.exists()
    assert not [path for path in storeroom.rglob("*") if path.is_file()]


def test_a_participant_who_left_during_the_upload_does_not_cost_the_recording(
    capture: Capture, meeting: Meeting, pavel: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    participant = meeting.participants.get(user=pavel)

    def look_while_pavel_leaves(path: Path) -> Any:
        meeting.participants.filter(user=pavel).delete()
        return probe(path)

    monkeypatch.setattr(capturing, "probe", look_while_pavel_leaves)
    recording = capture(participant=participant)
    assert (recording.file.state, recording.participant) == ("stored", None)


@pytest.mark.django_db(transaction=True)
def test_uploads_at_once_do_not_share_the_last_of_the_quota(capture: Capture, settings: Settings) -> None:
    settings.ORGANIZATION_QUOTA_BYTES = len(making.sound()) * 3 // 2
    outcomes = race([capture, capture, capture])
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert [(problem.code, problem.status) for problem in refused] == [("quota_exceeded", 413)] * 2
    assert Recording.objects.count() == StoredFile.objects.filter(state="stored").count() == 1


def test_a_repeated_upload_finds_its_first_attempt(hana: User, meeting: Meeting, storeroom: Path) -> None:
    wanted = uuid7()
    made = []
    for _ in range(2):
        with Intake(category="recordings", largest=1 << 30) as intake:
            intake.write(making.sound())
            made.append(
                capturing.capture(
                    user=hana, meeting=meeting, landed=intake.land(), original_name="a.wav", recording_id=wanted
                )
            )
    assert made[0].pk == made[1].pk == wanted
    assert StoredFile.objects.count() == 1


def test_another_body_under_the_key_of_a_stored_attempt_is_not_taken_for_it(
    hana: User, meeting: Meeting, storeroom: Path
) -> None:
    wanted = uuid7()

    def add(data: bytes) -> Recording:
        with Intake(category="recordings", largest=1 << 30) as intake:
            intake.write(data)
            return capturing.capture(
                user=hana, meeting=meeting, landed=intake.land(), original_name="a.wav", recording_id=wanted
            )

    first = add(making.sound())
    with pytest.raises(Problem) as caught:
        add(making.sound()[:-2] + b"?!")
    assert (caught.value.code, caught.value.status) == ("idempotency_key_reused", 409)
    assert add(making.sound()).pk == first.pk


def test_a_dropped_reservation_takes_its_recording_with_it(capture: Capture) -> None:
    recording = capture()
    Transcript.objects.all().delete()
    capturing.drop_owner(file=recording.file)
    assert not Recording.objects.exists()


def test_archiving_hides_a_recording_and_its_transcript_and_restoring_brings_both_back(
    capture: Capture, hana: User
) -> None:
    recording = capture()
    making.finished(Job.objects.get())
    exporting.request_export(user=hana, transcript=Transcript.objects.get(), format="txt")
    making.transcript_of(recording.meeting, hana)
    exporting.request_export(user=hana, minutes=making.minutes_of(recording.meeting, hana), format="txt")
    capturing.archive_recording(user=hana, recording=recording)
    assert not Recording.objects.visible_to(hana).exists()
    assert not Transcript.objects.visible_to(hana).filter(recording=recording).exists()
    assert not Export.objects.visible_to(hana).filter(transcript__recording=recording).exists()
    assert Export.objects.visible_to(hana).filter(minutes__isnull=False).exists()
    capturing.restore_recording(user=hana, recording=Recording.objects.of(hana).get())
    assert Recording.objects.visible_to(hana).get().file.state == "stored"
    assert Transcript.objects.visible_to(hana).filter(recording=recording).exists()
    assert Export.objects.visible_to(hana).count() == 2


def test_archiving_stops_a_transcription_that_has_not_ended(capture: Capture, hana: User) -> None:
    recording = capture()
    capturing.archive_recording(user=hana, recording=recording)
    assert Job.objects.get().state == "cancelled"


def test_only_those_who_may_delete_delete(capture: Capture, pavel: User) -> None:
    recording = capture()
    with pytest.raises(Problem) as caught:
        capturing.archive_recording(user=pavel, recording=recording)
    assert caught.value.status == 403
    assert Recording.objects.get().file.state == "stored"
