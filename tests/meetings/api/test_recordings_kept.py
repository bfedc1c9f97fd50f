from __future__ import annotations

import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from chatvista.foundation import idempotency
from chatvista.foundation.leases import State, in_seconds
from chatvista.foundation.models import IdempotencyKey, Job
from meetings.models import Meeting, Recording
from tests.meetings import making
from tests.meetings.api.uploading import TONE, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]


def test_the_bytes_come_back_whole_in_part_and_only_when_needed(as_pavel: APIClient, meeting: Meeting) -> None:
    made = upload(as_pavel, meeting, headers={"Content-Disposition": "attachment; filename=week.wav"}).json()
    address = f"/api/v1/recordings/{made['id']}/content"
    whole = as_pavel.get(address, headers={"accept": "audio/wav"})
    assert (whole.status_code, making.content_of(whole)) == (200, TONE)
    assert "week.wav" in whole["Content-Disposition"]
    part = as_pavel.get(address, headers={"range": "bytes=100-199"})
    assert (part.status_code, making.content_of(part)) == (206, TONE[100:200])
    assert as_pavel.get(address, headers={"if-none-match": whole["ETag"]}).status_code == 304
    assert as_pavel.head(address)["Content-Length"] == str(len(TONE))
    # Each request for bytes is on record, and asking for the headers alone is none.
    assert AuditEvent.objects.filter(action="recording.read", target_id=made["id"]).count() == 3


def test_a_redirect_leads_to_the_bytes_without_a_token(as_pavel: APIClient, meeting: Meeting) -> None:
    made = upload(as_pavel, meeting).json()
    answer = as_pavel.get(f"/api/v1/recordings/{made['id']}/content?redirect=true")
    assert answer.status_code == 302
    assert "X-Amz-Signature" in answer["Location"]
    assert as_pavel.get(f"/api/v1/recordings/{made['id']}/content?redirect=perhaps").status_code == 400


def test_a_deleted_recording_is_gone_at_once_and_can_be_restored(
    as_hana: APIClient, as_pavel: APIClient, meeting: Meeting
) -> None:
    made = upload(as_hana, meeting).json()
    address = f"/api/v1/recordings/{made['id']}"
    assert as_pavel.delete(address).status_code == 403
    assert as_hana.delete(address).status_code == 204
    for gone in (address, f"{address}/content", f"/api/v1/files/{made['file']}", f"/api/v1/jobs/{made['job']['id']}"):
        assert as_hana.get(gone).status_code == 404
    assert as_hana.get(f"/api/v1/meetings/{meeting.pk}/recordings").json()["results"] == []
    assert as_pavel.post(f"{address}/restore").status_code == 403
    restored = as_hana.post(f"{address}/restore")
    assert (restored.status_code, restored.json()["sha256"]) == (200, made["sha256"])
    assert as_hana.post(f"{address}/restore").status_code == 200
    assert making.content_of(as_hana.get(f"{address}/content")) == TONE


def test_transcription_can_be_stopped_and_taken_up_again(as_pavel: APIClient, meeting: Meeting) -> None:
    made = upload(as_pavel, meeting).json()
    address = f"/api/v1/recordings/{made['id']}"
    stopped = as_pavel.post(f"{address}/cancel")
    assert (stopped.status_code, stopped.json()["state"], stopped.json()["job"]["state"]) == (
        200,
        "stored",
        "cancelled",
    )
    again = as_pavel.post(f"{address}/retry")
    assert (again.status_code, again.json()["job"]["id"], again.json()["job"]["state"]) == (
        200,
        made["job"]["id"],
        "queued",
    )
    Job.objects.update(state=State.FAILED, error_code="x", error_detail="y")
    assert as_pavel.get(address).json()["state"] == "failed"
    assert as_pavel.get(address).json()["job"]["error"] == {"code": "x", "detail": "y"}
    assert as_pavel.post(f"/api/v1/jobs/{made['job']['id']}/retry").json()["state"] == "queued"


def test_a_recording_kept_as_it_was_gets_its_transcription_on_request(as_pavel: APIClient, meeting: Meeting) -> None:
    made = upload(as_pavel, meeting, query="?transcribe=false").json()
    assert as_pavel.post(f"/api/v1/recordings/{made['id']}/retry").json()["job"]["state"] == "queued"


def test_a_list_takes_the_same_queries_whatever_its_length(
    as_hana: APIClient, meeting: Meeting, django_assert_num_queries: Any
) -> None:
    address = f"/api/v1/meetings/{meeting.pk}/recordings"
    upload(as_hana, meeting)
    with django_assert_num_queries(4):
        as_hana.get(address)
    upload(as_hana, meeting, making.sound(seconds=0.3))
    upload(as_hana, meeting, making.sound(seconds=0.4))
    with django_assert_num_queries(4):
        assert len(as_hana.get(address).json()["results"]) == 3


@pytest.mark.parametrize("is_form", [False, True])
def test_a_key_is_not_answered_for_other_bytes_of_the_same_length(
    as_hana: APIClient, meeting: Meeting, is_form: bool
) -> None:
    def send(body: bytes) -> Any:
        wire, kind = making.form(("file", "a.wav", body)) if is_form else (body, "audio/wav")
        return upload(as_hana, meeting, wire, content_type=kind, headers={"Idempotency-Key": "k"})

    other = TONE[:-1] + bytes([TONE[-1] ^ 1])
    first, second, third = send(TONE), send(other), send(TONE)
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_reused")
    assert (third.status_code, third.json()) == (201, first.json())
    assert Recording.objects.count() == 1


def test_a_long_upload_keeps_its_key(meeting: Meeting, hana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "CLAIM_SECONDS", 0.8)
    claim = IdempotencyKey.objects.create(
        caller=hana.pk, route="POST /x", key="k", fingerprint="f", lease_until=in_seconds(0.8)
    )
    claim.refresh_from_db()
    for _ in range(3):
        time.sleep(0.4)
        assert idempotency._renew(claim)
    IdempotencyKey.objects.update(lease_until=in_seconds(5))
    assert not idempotency._renew(claim), "somebody else holds it"
