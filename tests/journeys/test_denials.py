"""Every route of meetings, walked by those who may not: a route that is added is walked without being named here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation import working
from meetings import exporting, urls
from meetings.models import Export, Meeting
from storage_sync.models import Upload, UploadKind
from tests.factories.people import api_for
from tests.meetings import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storeroom")]
READS, WRITES = ("get",), ("post", "patch", "put", "delete")
TUS = {"Tus-Resumable": "1.0.0"}
WELL_FORMED: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {
    ("upload", "patch"): (b"x", {"content_type": "application/offset+octet-stream", "HTTP_UPLOAD_OFFSET": "0"}),
    ("multipart-batch", "get"): ({"partNumbers": "1"}, {}),
    ("multipart-complete", "post"): ({"parts": [{"PartNumber": 1, "ETag": "x"}]}, {}),
}
KWARGS = (
    "meeting_id",
    "participant_id",
    "recording_id",
    "transcript_id",
    "minutes_id",
    "item_id",
    "export_id",
    "upload_id",
    "direct_id",
)
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


# An upload is its uploader's alone until it is a recording; which meeting a new one is for is said in what is sent.
OF_AN_UPLOAD = [route for route in ROUTES if "upload_id" in str(route_of(route[0]).pattern)]
OF_A_MEETING = [route for route in ROUTES if not str(route_of(route[0]).pattern).startswith(("uploads", "s3/"))]


@pytest.fixture
def ids(hana: User, pavel: User) -> dict[str, str]:
    """One of everything, of a meeting that Hana hosts and Pavel observes."""
    meeting: Meeting = making.meeting_of(hana, pavel, role="observer")
    minutes = making.minutes_of(meeting, hana)
    chunks, direct = (_upload_of(hana, kind) for kind in (UploadKind.CHUNKS, UploadKind.DIRECT))
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
        "upload_id": str(chunks.pk),
        "direct_id": str(direct.pk),
    }


def _upload_of(user: User, kind: UploadKind) -> Upload:
    upload: Upload = Upload.objects.create(
        kind=kind, purpose="recording", category="recordings", name="x.wav", content_type="audio/wav",
        tenant_id=user.organization_id, owner_id=user.pk, size=9, key=f"recordings/{kind}",
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    return upload


def call(client: APIClient, name: str, method: str, ids: dict[str, str]) -> Any:
    path = str(route_of(name).pattern)
    if path.startswith("s3/"):
        ids = ids | {"upload_id": ids["direct_id"]}
    path = path.replace("<int:number>", "1")
    for kwarg, value in ids.items():
        path = path.replace(f"<uuid:{kwarg}>", value)
    assert "<" not in path
    sent, more = WELL_FORMED.get((name, method), ({}, {}))
    answer = getattr(client, method)(
        f"/api/v1/{path}", None if method == "get" and not sent else sent, **more, headers=TUS
    )
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
    hidden = [route for route in OF_A_MEETING if route[0] not in OF_NO_MEETING] + OF_AN_UPLOAD
    assert walk(user, ids, hidden) == dict.fromkeys(hidden, 404)
    for name in OF_NO_MEETING:
        assert call(api_for(user), name, "get", ids).json()["results"] == []


def test_an_observer_reads_and_exports_and_changes_nothing(ids: dict[str, str], pavel: User) -> None:
    routes = [route for route in OF_A_MEETING if route[0] not in OF_NO_MEETING]
    expected = {
        (name, method): 200 if method == "get" else 400 if (name, method) in OPEN_TO_OBSERVERS else 403
        for name, method in routes
    }
    assert walk(pavel, ids, routes) == expected
    assert walk(pavel, ids, OF_AN_UPLOAD) == dict.fromkeys(OF_AN_UPLOAD, 404)


def test_an_auditor_reads_everything_and_writes_nothing(ids: dict[str, str], hana: User) -> None:
    auditor = making.somebody(hana, role="auditor")
    routes = [route for route in OF_A_MEETING if route != ("meetings", "post")]
    expected = {(name, method): 200 if method == "get" else 403 for name, method in routes}
    # Who only audits has no duties of their own, but may see everybody's.
    assert walk(auditor, ids, routes) == expected
    assert walk(auditor, ids, OF_AN_UPLOAD) == dict.fromkeys(OF_AN_UPLOAD, 404)
    assert api_for(auditor).post("/api/v1/meetings", {"title": "x"}).status_code == 403


@pytest.mark.parametrize("nonsense", ["00000000-0000-0000-0000-000000000000", "1", "x", "%F0%28", "..%2f..%2fetc"])
def test_an_id_of_nothing_is_404_for_everybody(hana: User, nonsense: str) -> None:
    routes = [route for route in ROUTES if "_id" in str(route_of(route[0]).pattern)]
    assert walk(hana, dict.fromkeys(KWARGS, nonsense), routes) == dict.fromkeys(routes, 404)
