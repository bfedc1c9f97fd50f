from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from meetings.models import Meeting, MinutesItem, Participant
from tests.meetings import making

pytestmark = pytest.mark.django_db


def people(meeting: Meeting) -> str:
    return f"/api/v1/meetings/{meeting.pk}/participants"


def one(meeting: Meeting, user: User) -> str:
    return f"/api/v1/participants/{Participant.objects.get(meeting=meeting, user=user).pk}"


def test_an_address_of_the_organization_means_its_user(as_hana: APIClient, hana: User, pavel: User) -> None:
    meeting = making.meeting_of(hana)
    answer = as_hana.post(people(meeting), {"email": "PAVEL@example.org"})
    assert answer.status_code == 201
    given = answer.json()
    assert (given["user"], given["name"], given["email"], given["role"]) == (
        str(pavel.pk), "Pavel", "pavel@example.org", "participant",
    )  # fmt: skip


def test_somebody_from_outside_is_known_by_name_and_address(as_hana: APIClient, meeting: Meeting, olga: User) -> None:
    given = as_hana.post(people(meeting), {"email": olga.email, "name": "Olga", "role": "observer"}).json()
    # A user of another organization is an outsider here: nothing of their account is told or linked.
    assert (given["user"], given["name"], given["role"]) == (None, "Olga", "observer")
    assert as_hana.post(people(meeting), {"email": "li@example.com"}).json()["name"] == "li@example.com"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["user", "email"]),
        ({"name": "Nobody"}, ["user", "email"]),
        ({"email": "nonsense"}, ["email"]),
        ({"email": 5}, ["email"]),
        ({"email": "a@example.com", "role": "king"}, ["role"]),
        ({"email": "a@example.com", "role": ["host"]}, ["role"]),
        ({"email": "a@example.com", "name": 5}, ["name"]),
        ({"email": "a@example.com", "name": "x" * 201}, ["name"]),
        ({"user": "x"}, ["user"]),
        ({"user": 5}, ["user"]),
        ({"user": "00000000-0000-7000-8000-000000000000"}, ["user"]),
        ({"email": "a@example.com", "meeting": "x"}, ["meeting"]),
    ],
)
def test_who_is_nobody_is_refused(
    as_hana: APIClient, meeting: Meeting, body: dict[str, Any], fields: list[str]
) -> None:
    answer = as_hana.post(people(meeting), body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, fields)


def test_a_user_of_another_organization_cannot_be_named_by_id(as_hana: APIClient, meeting: Meeting, olga: User) -> None:
    answer = as_hana.post(people(meeting), {"user": str(olga.pk)})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["user"])


def test_nobody_is_in_a_meeting_twice(as_hana: APIClient, meeting: Meeting, pavel: User) -> None:
    for body in ({"user": str(pavel.pk)}, {"email": pavel.email}):
        answer = as_hana.post(people(meeting), body)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_participant")
    body = {"email": "out@example.com"}
    assert as_hana.post(people(meeting), body, HTTP_IDEMPOTENCY_KEY="a").status_code == 201
    assert as_hana.post(people(meeting), body, HTTP_IDEMPOTENCY_KEY="a").status_code == 201
    assert as_hana.post(people(meeting), body, HTTP_IDEMPOTENCY_KEY="b").status_code == 409


def test_the_last_host_stays_host(as_hana: APIClient, meeting: Meeting, hana: User, pavel: User) -> None:
    host = one(meeting, hana)
    as_hana.post(people(meeting), {"email": "guest@example.com", "role": "host"})
    for answer in (as_hana.delete(host), as_hana.patch(host, {"role": "participant"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_host")
    assert as_hana.patch(one(meeting, pavel), {"role": "host"}).status_code == 200
    assert as_hana.delete(host).status_code == 204


def test_a_co_host_cannot_make_themselves_host(
    as_hana: APIClient, as_pavel: APIClient, meeting: Meeting, hana: User, pavel: User
) -> None:
    as_hana.patch(one(meeting, pavel), {"role": "co_host"})
    assert as_pavel.post(people(meeting), {"email": "guest@example.com"}).status_code == 201
    assert as_pavel.post(people(meeting), {"email": "boss@example.com", "role": "host"}).status_code == 403
    assert as_pavel.patch(one(meeting, pavel), {"role": "host"}).status_code == 403
    assert as_pavel.delete(one(meeting, hana)).status_code == 403


def test_a_participant_manages_nobody(as_pavel: APIClient, meeting: Meeting, pavel: User) -> None:
    assert as_pavel.post(people(meeting), {"email": "guest@example.com"}).status_code == 403
    assert as_pavel.patch(one(meeting, pavel), {"name": "Boss"}).status_code == 403
    assert as_pavel.delete(one(meeting, pavel)).status_code == 403


def test_an_outsider_finds_nobody(as_olga: APIClient, meeting: Meeting, pavel: User) -> None:
    assert as_olga.get(people(meeting)).status_code == 404
    assert as_olga.post(people(meeting), {"email": "olga@example.net"}).status_code == 404
    assert as_olga.patch(one(meeting, pavel), {"name": "x"}).status_code == 404
    assert as_olga.delete(one(meeting, pavel)).status_code == 404


def test_who_leaves_takes_their_access_and_not_their_duties(
    as_hana: APIClient, as_pavel: APIClient, meeting: Meeting, hana: User, pavel: User
) -> None:
    participant = Participant.objects.get(meeting=meeting, user=pavel)
    making.minutes_of(meeting, hana, owner=participant)
    assert as_hana.delete(one(meeting, pavel)).status_code == 204
    item = MinutesItem.objects.get(section="action_items")
    assert (item.owner, item.owner_name) == (None, "Pavel")
    assert as_pavel.get(f"/api/v1/meetings/{meeting.pk}").status_code == 404


def test_a_name_and_a_role_can_be_changed(as_hana: APIClient, meeting: Meeting, pavel: User) -> None:
    answer = as_hana.patch(one(meeting, pavel), {"name": "Pavel B.", "role": "observer"})
    assert (answer.json()["name"], answer.json()["role"]) == ("Pavel B.", "observer")
    assert list(as_hana.patch(one(meeting, pavel), {"email": "x@example.com"}).json()["fields"]) == ["email"]
    assert as_hana.patch(one(meeting, pavel), {"name": None}).status_code == 400
