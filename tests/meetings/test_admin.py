from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from chatvista.foundation.models import Job
from meetings.models import Meeting, Recording
from tests.meetings import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]
MODELS = sorted(model._meta.model_name or "" for model in admin.site._registry if model._meta.app_label == "meetings")


@pytest.fixture
def desk(oscar: User) -> Client:
    """Oscar, signed in to the admin."""
    client = Client()
    client.force_login(oscar)
    return client


@pytest.fixture
def meeting(hana: User, pavel: User) -> Meeting:
    """A meeting with one row of everything but an export."""
    meeting = making.meeting_of(hana, pavel)
    making.minutes_of(meeting, hana, owner=meeting.participants.get(user=pavel))
    making.recording_of(meeting, hana)
    return meeting


def test_every_model_has_a_page() -> None:
    assert MODELS == [
        "actionitem", "citation", "export", "meeting", "minutes", "minutesitem", "participant", "recording", "segment",
        "speaker", "transcript",
    ]  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_every_page_opens_and_can_be_searched(desk: Client, meeting: Meeting, model: str) -> None:
    found = desk.get(reverse(f"admin:meetings_{model}_changelist"), {"q": "019a0000-0000-7000-8000-000000000000"})
    assert found.status_code == 200
    listed = desk.get(reverse(f"admin:meetings_{model}_changelist"))
    assert listed.status_code == 200
    row = listed.context["cl"].queryset.first()
    assert (row is None) == (model == "export")
    if row is not None:
        assert desk.get(reverse(f"admin:meetings_{model}_change", args=[row.pk])).status_code == 200
    if model != "meeting":
        assert desk.get(reverse(f"admin:meetings_{model}_add")).status_code == 403


def test_a_correction_by_an_operator_counts_and_is_on_record(desk: Client, meeting: Meeting, oscar: User) -> None:
    page = reverse("admin:meetings_meeting_change", args=[meeting.pk])
    fields = {"title": "Put right", "timezone": "UTC", "agenda": "[]", "tags": "", "description": "", "language": ""}
    management = {"participants-TOTAL_FORMS": "0", "participants-INITIAL_FORMS": "0"}
    answer = desk.post(page, fields | management)
    assert answer.status_code == 302
    meeting.refresh_from_db()
    assert (meeting.title, meeting.revision) == ("Put right", 2)
    event = AuditEvent.objects.get(action="meeting.changed")
    assert (event.actor, event.data["by"]) == (oscar.pk, "operator")


def test_an_operator_stops_and_repeats_a_transcription(desk: Client, meeting: Meeting) -> None:
    recording = Recording.objects.get()
    assert recording.job_id is not None
    for action, state in (("cancel", "cancelled"), ("retry", "queued")):
        desk.post(
            reverse("admin:meetings_recording_changelist"), {"action": action, "_selected_action": [str(recording.pk)]}
        )
        assert Job.objects.get(pk=recording.job_id).state == state
