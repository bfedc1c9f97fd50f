from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from chatvista.foundation import working
from meetings.models import Export, Meeting, Minutes
from tests.meetings import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


@pytest.fixture
def minutes(meeting: Meeting, hana: User) -> Minutes:
    """Finished minutes."""
    return making.minutes_of(meeting, hana)


@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF-"), ("docx", b"PK"), ("md", b"#")])
def test_minutes_become_a_document_that_can_be_fetched(
    as_pavel: APIClient, meeting: Meeting, minutes: Minutes, form: str, begins: bytes
) -> None:
    answer = as_pavel.post(f"/api/v1/minutes/{minutes.pk}/exports", {"format": form})
    assert answer.status_code == 202
    export, job = answer.json()["export"], answer.json()["job"]
    assert (export["format"], export["minutes"], export["file"], job["state"]) == (
        form,
        str(minutes.pk),
        None,
        "queued",
    )
    early = as_pavel.get(f"{answer['Location']}/content")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    working.run_job(job_id=Export.objects.get().job_id)
    done = as_pavel.get(answer["Location"]).json()
    assert (done["ready"], done["job"]["state"]) == (True, "completed")
    content = as_pavel.get(f"{answer['Location']}/content")
    assert making.content_of(content).startswith(begins)
    assert f'filename="Board-meeting-minutes.{form}"' in content["Content-Disposition"]
    part = as_pavel.get(f"{answer['Location']}/content", headers={"range": "bytes=0-0"})
    assert (part.status_code, making.content_of(part)) == (206, begins[:1])
    assert as_pavel.get(f"/api/v1/files/{done['file']}").json()["durability"] == "both"
    assert as_pavel.get(f"/api/v1/meetings/{meeting.pk}/exports").json()["results"] == [done]
    assert AuditEvent.objects.filter(action="export.read", target_id=done["id"]).count() == 2


def test_a_transcript_becomes_captions(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    transcript = making.transcript_of(meeting, hana)
    answer = as_hana.post(f"/api/v1/transcripts/{transcript.pk}/exports", {"format": "vtt"})
    working.run_job(job_id=Export.objects.get().job_id)
    content = as_hana.get(f"{answer['Location']}/content")
    assert making.content_of(content).startswith(b"WEBVTT")


@pytest.mark.parametrize(
    "body", [{"format": "vtt"}, {"format": "exe"}, {"format": 5}, {"format": None}, {}, {"format": "pdf", "x": 1}]
)
def test_a_document_there_is_not_is_refused(as_hana: APIClient, minutes: Minutes, body: dict[str, object]) -> None:
    answer = as_hana.post(f"/api/v1/minutes/{minutes.pk}/exports", body)
    assert answer.status_code == 400
    assert answer.json()["code"] == (
        "format_not_available" if body.get("format") in {"vtt", "exe"} else "validation_failed"
    )
    assert not Export.objects.exists()


def test_minutes_that_are_not_written_cannot_be_exported(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    making.transcript_of(meeting, hana)
    asked = as_hana.post(f"/api/v1/meetings/{meeting.pk}/minutes", {}).json()["minutes"]
    answer = as_hana.post(f"/api/v1/minutes/{asked['id']}/exports", {"format": "pdf"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_the_same_key_makes_one_document(as_hana: APIClient, minutes: Minutes) -> None:
    address, key = f"/api/v1/minutes/{minutes.pk}/exports", {"idempotency-key": "k"}
    first, again = (as_hana.post(address, {"format": "pdf"}, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert Export.objects.count() == 1


def test_an_observer_exports_and_an_outsider_finds_nothing(
    as_olga: APIClient, as_pavel: APIClient, meeting: Meeting, minutes: Minutes
) -> None:
    meeting.participants.filter(name="Pavel").update(role="observer")
    made = as_pavel.post(f"/api/v1/minutes/{minutes.pk}/exports", {"format": "txt"})
    assert made.status_code == 202
    working.run_job(job_id=Export.objects.get().job_id)
    file = as_pavel.get(made["Location"]).json()["file"]
    assert as_olga.post(f"/api/v1/minutes/{minutes.pk}/exports", {"format": "txt"}).status_code == 404
    for address in (made["Location"], f"{made['Location']}/content", f"/api/v1/files/{file}"):
        assert as_olga.get(address).status_code == 404
