"""Every route of meetings, walked by those who may not: a route that is added is walked without being named here."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import URLPattern
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation import working
from meetings import exporting, urls
from meetings.models import Export, Meeting
from tests.factories.people import api_for
from tests.meetings import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]
READS, WRITES = ("get",), ("post", "patch", "put", "delete")
KWARGS = ("meeting_id", "participant_id", "recording_id", "transcript_id", "minutes_id", "item_id", "export_id")
OF_NO_MEETING = {"meetings", "action-items"}
OPEN_TO_OBSERVERS = {("transcript-exports", "post"), ("minutes-exports", "post")}
ROUTES = [
    (str(route.name), method)
    for route in urls.urlpatterns
    for method in (*READS, *WRITES)
    if hasattr(route.callback.view_class, method)  # type: ignore[attr-defined]  # as_view() leaves its class there
]


def route_of(name: str) -> URLPattern:
    return next(route for route in urls.urlpatterns if route.name == name)


@pytest.fixture
def ids(hana: User, pavel: User) -> dict[str, str]:
    """One of everything, of a meeting that Hana hosts and Pavel observes."""
    meeting: Meeting = making.meeting_of(hana, pavel, role="observer")
    minutes = making.minutes_of(meeting, hana)
    export: Export = exporting.request_export(user=hana, minutes=minutes, format="txt")
    working.run_job(job_id=export.job_id)
    return {
        "meeting_id": str(meeting.pk),
        "participant_id": str(meeting.participants.get(user=pavel).pk),
        "recording_id": str(making.recording_of(meeting, hana).pk),
        "transcript_id": str(minutes.transcript_id),
        "minutes_id": str(minutes.pk),
        "item_id": str(minutes.items.get(section="action_items").pk),
        "export_id": str(export.pk),
    }


def call(client: APIClient, name: str, method: str, ids: dict[str, str]) -> Any:
    path = str(route_of(name).pattern)
    for kwarg, value in ids.items():
        path = path.replace(f"<uuid:{kwarg}>", value)
    assert "<" not in path
    answer = getattr(client, method)(f"/api/v1/{path}", None if method == "get" else {})
    if answer.streaming:
        making.content_of(answer)
    return answer


def walk(user: User | None, ids: dict[str, str], routes: list[tuple[str, str]] = ROUTES) -> dict[tuple[str, str], int]:
    """The status of every route's answer. What may not be done changes nothing, so one walk is as good as many."""
    client = api_for(user)
    return {(name, method): call(client, name, method, ids).status_code for name, method in routes}


def test_without_a_token_nothing_is_told(ids: dict[str, str]) -> None:
    assert walk(None, ids) == dict.fromkeys(ROUTES, 401)
    answer = call(api_for(None), "recordings", "post", ids)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("who", ["olga", "oscar"])
def test_an_outsider_and_an_operator_find_nothing(
    ids: dict[str, str], who: str, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(who)
    hidden = [route for route in ROUTES if route[0] not in OF_NO_MEETING]
    assert walk(user, ids, hidden) == dict.fromkeys(hidden, 404)
    for name in OF_NO_MEETING:
        assert call(api_for(user), name, "get", ids).json()["results"] == []


def test_an_observer_reads_and_exports_and_changes_nothing(ids: dict[str, str], pavel: User) -> None:
    routes = [route for route in ROUTES if route[0] not in OF_NO_MEETING]
    expected = {
        (name, method): 200 if method == "get" else 400 if (name, method) in OPEN_TO_OBSERVERS else 403
        for name, method in routes
    }
    assert walk(pavel, ids, routes) == expected


def test_an_auditor_reads_everything_and_writes_nothing(ids: dict[str, str], hana: User) -> None:
    auditor = making.somebody(hana, role="auditor")
    routes = [route for route in ROUTES if route != ("meetings", "post")]
    expected = {(name, method): 200 if method == "get" else 403 for name, method in routes}
    # Who only audits has no duties of their own, but may see everybody's.
    assert walk(auditor, ids, routes) == expected
    assert api_for(auditor).post("/api/v1/meetings", {"title": "x"}).status_code == 403


@pytest.mark.parametrize("nonsense", ["00000000-0000-0000-0000-000000000000", "1", "x", "%F0%28", "..%2f..%2fetc"])
def test_an_id_of_nothing_is_404_for_everybody(hana: User, nonsense: str) -> None:
    routes = [route for route in ROUTES if "_id" in str(route_of(route[0]).pattern)]
    assert walk(hana, dict.fromkeys(KWARGS, nonsense), routes) == dict.fromkeys(routes, 404)
