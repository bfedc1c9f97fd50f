"""What is announced is written, with the deed and only with it."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import AuditEvent
from chatvista.foundation import audit

pytestmark = pytest.mark.django_db


def test_an_event_keeps_who_did_what_to_which_thing() -> None:
    actor, tenant, target = (uuid.uuid4() for _ in range(3))
    audit.record(
        action="recording.read", target_kind="recording", target_id=target, actor=actor, tenant_id=tenant, bytes=5
    )
    event = AuditEvent.objects.get()
    assert (event.actor, event.tenant_id, event.target_id) == (actor, tenant, target)
    assert (event.action, event.target_kind, event.data) == ("recording.read", "recording", {"bytes": 5})


def test_a_deed_that_is_rolled_back_leaves_no_event() -> None:
    with transaction.atomic():
        audit.record(action="meeting.deleted", target_kind="meeting", target_id=uuid.uuid4())
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_the_request_is_named_in_the_event() -> None:
    body = {"email": "hana@example.org", "password": "correct horse battery staple", "name": "Hana"}
    answer = APIClient().post("/api/v1/auth/register", body, format="json", headers={"X-Request-ID": "req-7"})
    assert answer["X-Request-ID"] == "req-7"
    events = AuditEvent.objects.order_by("id")
    assert [(event.request_id, event.address) for event in events] == [("req-7", "127.0.0.1")] * 2
    assert all(str(event.actor) == answer.json()["user"]["id"] for event in events)


@pytest.mark.parametrize("given", [None, "two words", "x" * 200])
def test_an_id_that_was_made_here_is_the_same_in_the_answer_and_in_the_event(given: str | None) -> None:
    body = {"email": "hana@example.org", "password": "correct horse battery staple", "name": "Hana"}
    headers = {"X-Request-ID": given} if given else {}
    answer = APIClient().post("/api/v1/auth/register", body, format="json", headers=headers)
    assert answer["X-Request-ID"] != given
    event = AuditEvent.objects.order_by("id")[0]
    assert event.request_id == answer["X-Request-ID"]


def test_the_address_in_the_event_is_not_the_one_a_client_claims(settings: Settings) -> None:
    settings.PLAIN_HTTP = False
    body = {"email": "hana@example.org", "password": "correct horse battery staple", "name": "Hana"}
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    assert APIClient().post("/api/v1/auth/register", body, format="json", headers=headers).status_code == 201
    assert {event.address for event in AuditEvent.objects.all()} == {"198.51.100.7"}
