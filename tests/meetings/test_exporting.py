"""From minutes and transcripts to documents that both sides hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import User
from chatvista.foundation import working
from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from meetings import exporting
from meetings.models import Export, Meeting
from meetings.renderers import FORMATS
from meetings.renderers.formats import MEDIA_TYPES, Format
from storage_sync.arriving import receiving
from storage_sync.giving import reading
from storage_sync.models import StoredFile
from tests.meetings import making

pytestmark = pytest.mark.django_db

BEGINS = {
    "pdf": b"%PDF-", "docx": b"PK", "md": b"#", "html": b"<!", "txt": b"", "json": b"{", "vtt": b"WEBVTT", "srt": b"1",
}  # fmt: skip


def run(export: Export) -> Export:
    Job.objects.filter(pk=export.job_id).update(next_attempt_at=Now())
    working.run_job(job_id=export.job_id)
    done: Export = Export.objects.select_related("file", "job").get(pk=export.pk)
    return done


@pytest.mark.parametrize("form", FORMATS["minutes"])
def test_minutes_become_a_document(hana: User, meeting: Meeting, storeroom: Path, form: Format) -> None:
    export = run(exporting.request_export(user=hana, minutes=making.minutes_of(meeting, hana), format=form))
    assert export.job.state == "completed", export.job.error_detail
    assert export.file is not None
    assert (export.file.category, export.file.durability, export.is_ready) == ("minutes", "both", True)
    assert export.file.content_type == MEDIA_TYPES[form]
    content = reading.local_path(export.file).read_bytes()
    assert content.startswith(BEGINS[form])
    if form in {"md", "html", "txt", "json"}:
        assert b"Board meeting" in content


@pytest.mark.parametrize("form", FORMATS["transcript"])
def test_a_transcript_becomes_a_document(hana: User, meeting: Meeting, storeroom: Path, form: Format) -> None:
    export = run(exporting.request_export(user=hana, transcript=making.transcript_of(meeting, hana), format=form))
    assert export.job.state == "completed", export.job.error_detail
    assert export.file is not None
    assert (export.file.category, export.file.content_type) == ("transcripts", MEDIA_TYPES[form])
    assert reading.local_path(export.file).read_bytes().startswith(BEGINS[form])


def test_a_format_that_does_not_exist_is_refused_before_anything_is_queued(hana: User, meeting: Meeting) -> None:
    minutes = making.minutes_of(meeting, hana)
    before = Job.objects.count()
    with pytest.raises(Problem) as caught:
        exporting.request_export(user=hana, minutes=minutes, format="vtt")
    assert (caught.value.code, caught.value.status) == ("format_not_available", 400)
    assert Job.objects.count() == before


def test_a_second_run_makes_no_second_file(hana: User, meeting: Meeting, storeroom: Path) -> None:
    export = run(exporting.request_export(user=hana, minutes=making.minutes_of(meeting, hana), format="txt"))
    Job.objects.filter(pk=export.job_id).update(state="queued", finished_at=None)
    again = run(export)
    assert (again.file, again.job.state) == (export.file, "completed")
    assert StoredFile.objects.count() == 1


def test_a_dropped_reservation_is_made_anew(hana: User, meeting: Meeting, storeroom: Path) -> None:
    export = run(exporting.request_export(user=hana, minutes=making.minutes_of(meeting, hana), format="txt"))
    assert export.file is not None
    exporting.drop_owner(file=export.file)
    Job.objects.filter(pk=export.job_id).update(state="queued", finished_at=None)
    again = run(export)
    assert again.is_ready
    assert again.file != export.file


def test_a_worker_that_lost_the_job_leaves_the_document_of_another(
    hana: User, meeting: Meeting, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = exporting.request_export(user=hana, minutes=making.minutes_of(meeting, hana), format="txt")
    receive = receiving.receive_bytes

    def receive_slowly(**given: Any) -> StoredFile:
        monkeypatch.setattr(receiving, "receive_bytes", receive)
        working.cancel_job(job_id=export.job_id)
        working.retry_job(job_id=export.job_id)
        run(export)
        return receive(**given)

    monkeypatch.setattr(receiving, "receive_bytes", receive_slowly)
    done = run(export)
    assert (done.is_ready, done.job.state, done.job.attempts) == (True, "completed", 1)
    # A second file would belong to nobody and count against the quota for ever.
    assert StoredFile.objects.get() == done.file
