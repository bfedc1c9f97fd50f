"""What archiving and purging mean for recordings and exports: gone for people, with an answer that says why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation import working
from chatvista.foundation.models import Job
from meetings import exporting, transcribing
from meetings.models import Export, Meeting, Recording
from storage_sync.models import RetentionPolicy, StoredFile
from storage_sync.retaining import applying, archiving, purging
from storage_sync.retaining.selecting import database_now
from tests.factories.people import api_for
from tests.meetings import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


@pytest.fixture
def as_hana(hana: User) -> APIClient:
    return api_for(hana)


def age(file: StoredFile, *, days: int) -> None:
    then = database_now() - dt.timedelta(days=days)
    StoredFile.objects.filter(pk=file.pk).update(stored_at=then)


def job_of(recording: Recording) -> Job:
    assert recording.job_id is not None
    return Job.objects.get(pk=recording.job_id)


def archive_by_policy(category: str) -> None:
    RetentionPolicy.objects.create(category=category, archive_after_days=30)
    assert applying.apply()["archived"] == 1


def purge(file: StoredFile) -> None:
    archiving.archive(file)
    assert purging.begin(file_id=file.pk, reason="A test.")


def test_a_policy_archives_a_recording_as_a_person_does(meeting: Meeting, hana: User, as_hana: APIClient) -> None:
    recording = making.recording_of(meeting, hana)
    assert job_of(recording).state == "queued"
    age(recording.file, days=31)
    archive_by_policy("recordings")
    address = f"/api/v1/recordings/{recording.pk}"
    assert as_hana.get(address).status_code == 404
    assert as_hana.get(f"/api/v1/meetings/{meeting.pk}/transcripts").json()["results"] == []
    assert job_of(recording).state == "cancelled"
    restored = as_hana.post(f"{address}/restore")
    assert (restored.status_code, restored.json()["state"]) == (200, "stored")
    assert as_hana.post(f"{address}/retry").json()["job"]["state"] == "queued"


def test_a_transcription_that_runs_while_its_recording_is_archived_ends_cancelled(
    meeting: Meeting, hana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = making.recording_of(meeting, hana)

    def archived_meanwhile(work: Any, **_: Any) -> None:
        archiving.archive(Recording.objects.get(pk=recording.pk).file)
        work.enter("listening")

    monkeypatch.setattr(transcribing, "_forget_other_engine", lambda work, engine: archived_meanwhile(work))
    working.run_job(job_id=job_of(recording).pk)
    assert job_of(recording).state == "cancelled"


@pytest.mark.parametrize("ends", [False, True])
def test_a_purged_recording_says_so_and_stays_gone(
    meeting: Meeting, hana: User, olga: User, as_hana: APIClient, ends: bool
) -> None:
    recording = making.recording_of(meeting, hana)
    address = f"/api/v1/recordings/{recording.pk}"
    purge(recording.file)
    if ends:
        StoredFile.objects.filter(pk=recording.file_id).update(state="purged", purged_at=database_now())
    for path in (address, f"{address}/content", f"{address}/content?redirect=true"):
        answer = as_hana.get(path)
        assert (answer.status_code, answer.json()["code"]) == (410, "file_purged")
        assert api_for(olga).get(path).status_code == 404
    restored = as_hana.post(f"{address}/restore")
    assert (restored.status_code, restored.json()["code"]) == (409, "not_restorable")
    assert api_for(olga).post(f"{address}/restore").status_code == 404
    for answer in (as_hana.delete(address), as_hana.post(f"{address}/retry"), as_hana.post(f"{address}/cancel")):
        assert answer.status_code == 404
    assert as_hana.get(f"/api/v1/meetings/{meeting.pk}/recordings").json()["results"] == []
    assert Recording.objects.filter(pk=recording.pk).exists(), "its row stays, as a tombstone"


def test_who_reads_while_a_purge_begins_gets_all_bytes_or_a_problem(
    meeting: Meeting, hana: User, as_hana: APIClient
) -> None:
    body = making.sound(seconds=2.0)
    recording = making.recording_of(meeting, hana, content=body)
    answer = as_hana.get(f"/api/v1/recordings/{recording.pk}/content")
    purge(recording.file)
    purging.carry_on()
    assert making.content_of(answer) == body, "what was opened before is read to its end"
    assert as_hana.get(f"/api/v1/recordings/{recording.pk}/content").status_code == 410


def test_a_document_that_was_put_away_says_so(
    meeting: Meeting, hana: User, as_hana: APIClient, storeroom: Path
) -> None:
    minutes = making.minutes_of(meeting, hana)
    export = exporting.request_export(user=hana, minutes=minutes, format="txt")
    working.run_job(job_id=export.job_id)
    file = Export.objects.select_related("file").get(pk=export.pk).file
    assert file is not None
    age(file, days=31)
    archive_by_policy("minutes")
    address = f"/api/v1/exports/{export.pk}"
    assert as_hana.get(address).json()["ready"] is False
    answer = as_hana.get(f"{address}/content")
    assert (answer.status_code, answer.json()["code"]) == (410, "export_gone")
    assert as_hana.post(f"/api/v1/minutes/{minutes.pk}/exports", {"format": "txt"}).status_code == 202
