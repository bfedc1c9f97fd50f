from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from meetings.models import Meeting
from tests.meetings import making

pytestmark = pytest.mark.django_db
MEETINGS = "/api/v1/meetings"


def test_a_meeting_is_given_back_as_it_was_described(as_hana: APIClient, hana: User) -> None:
    described = {
        "title": "Board meeting",
        "description": "  Quarterly\n figures ",
        "scheduled_start": "2026-12-01T09:00:00Z",
        "scheduled_end": "2026-12-01T10:30:00+01:00",
        "timezone": "Europe/Berlin",
        "agenda": ["Welcome", {"title": "Figures", "minutes": 20}],
        "tags": ["board", "q4"],
        "language": "pt-BR",
        "external_ref": "crm-17",
        "confidential": False,
    }
    answer = as_hana.post(MEETINGS, described)
    assert answer.status_code == 201
    given = answer.json()
    assert {name: given[name] for name in described if not name.startswith("scheduled")} == {
        name: value for name, value in described.items() if not name.startswith("scheduled")
    }
    assert given["scheduled_end"] == "2026-12-01T09:30:00.000000Z"
    assert given["status"] == "scheduled"
    assert given["created_by"] == {"id": str(hana.pk), "name": "Hana"}
    assert answer["Location"] == f"{MEETINGS}/{given['id']}"
    assert as_hana.get(answer["Location"]).json() == given
    people = as_hana.get(f"{answer['Location']}/participants").json()["results"]
    assert [(person["user"], person["role"]) for person in people] == [(str(hana.pk), "host")]
    assert AuditEvent.objects.filter(action="meeting.created", target_id=given["id"], actor=hana.pk).exists()


WRONG: dict[str, list[Any]] = {
    "title": [5, None, "", "  ", ["x"], {"a": 1}, True, "x" * 301, "two\nlines"],
    "description": [5, None, ["x"], "x" * 20_001],
    "scheduled_start": [5, True, {}, [], "soon", "2026-12-01", "2026-12-01T09:00:00", "0001-01-01T00:00:00+14:00"],
    "scheduled_end": [5, "9999-12-31T23:59:59Z"],
    "timezone": ["Mars/Olympus", "../etc/passwd", "", 2, None],
    "agenda": ["Welcome", {"title": "x"}, None, ["x"] * 101],
    "agenda.0": [5, None, "", ["x"]],
    "agenda.0.title": [{}, {"title": 5}],
    "agenda.0.minutes": [{"title": "x", "minutes": "5"}, {"title": "x", "minutes": 0}],
    "agenda.0.mood": [{"title": "x", "mood": "good"}],
    "tags": ["board", None, ["x"] * 51, {"a": 1}],
    "tags.0": [5, "", None, "x" * 61],
    "language": ["english please", 5, None, "e"],
    "external_ref": [5, None, "x" * 201],
    "confidential": ["yes", 1, None, "true"],
    "id": ["x"],
    "status": ["live"],
    "created_at": ["2026-12-01T09:00:00Z"],
    "organization": ["x"],
    "revision": [7],
    "colour": ["x"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_what_is_not_a_meeting_is_refused_by_field(as_hana: APIClient, field: str, value: Any) -> None:
    name, _, nested = field.partition(".")
    body = {"title": "Board meeting", name: [value] if nested else value}
    answer = as_hana.post(MEETINGS, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["fields"]) == [field]
    assert not Meeting.objects.exists()


@pytest.mark.parametrize(
    "body", ["[]", "5", "null", '"x"', "{", '{"title": "a\\u0000b"}', '{"title": NaN}', '{"title": "\\ud800"}']
)
def test_a_body_that_is_no_object_of_text_is_refused(as_hana: APIClient, body: str) -> None:
    assert as_hana.post(MEETINGS, body, content_type="application/json").status_code == 400


def test_a_meeting_cannot_end_before_it_starts_even_across_two_changes(as_hana: APIClient, meeting: Meeting) -> None:
    both = {"title": "x", "scheduled_start": "2026-12-01T09:00:00Z", "scheduled_end": "2026-12-01T08:00:00Z"}
    assert list(as_hana.post(MEETINGS, both).json()["fields"]) == ["scheduled_end"]
    address = f"{MEETINGS}/{meeting.pk}"
    assert as_hana.patch(address, {"scheduled_start": "2026-12-01T09:00:00Z"}).status_code == 200
    answer = as_hana.patch(address, {"scheduled_end": "2026-12-01T08:00:00Z"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["scheduled_end"])


def test_a_meeting_is_confidential_from_the_start_or_from_a_change_on(as_hana: APIClient, meeting: Meeting) -> None:
    answer = as_hana.post(MEETINGS, {"title": "x", "confidential": True})
    assert (answer.status_code, answer.json()["confidential"], answer.json()["sealing_job"]) == (201, True, None)
    answer = as_hana.patch(f"{MEETINGS}/{meeting.pk}", {"confidential": True})
    assert (answer.status_code, answer.json()["confidential"]) == (200, True)
    assert answer.json()["sealing_job"]["kind"] == "sealing"


def test_a_change_that_rests_on_an_old_reading_is_refused(as_hana: APIClient, meeting: Meeting) -> None:
    address = f"{MEETINGS}/{meeting.pk}"
    tag = as_hana.get(address)["ETag"]
    first = as_hana.patch(address, {"title": "First"}, HTTP_IF_MATCH=tag)
    second = as_hana.patch(address, {"title": "Second"}, HTTP_IF_MATCH=tag)
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 412, "stale_revision")
    assert first["ETag"] not in {tag, ""}
    assert as_hana.get(address).json()["title"] == "First"
    assert as_hana.delete(address, HTTP_IF_MATCH=tag).status_code == 412


def test_the_same_key_makes_one_meeting(as_hana: APIClient) -> None:
    first = as_hana.post(MEETINGS, {"title": "x"}, HTTP_IDEMPOTENCY_KEY="k1")
    again = as_hana.post(MEETINGS, {"title": "x"}, HTTP_IDEMPOTENCY_KEY="k1")
    other = as_hana.post(MEETINGS, {"title": "y"}, HTTP_IDEMPOTENCY_KEY="k1")
    assert (again.status_code, again.json(), again["ETag"]) == (201, first.json(), first["ETag"])
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert Meeting.objects.count() == 1


@pytest.mark.parametrize(
    ("steps", "status", "code"),
    [
        (["start"], "live", 200),
        (["start", "start"], "live", 200),
        (["start", "end"], "ended", 200),
        (["start", "end", "end"], "ended", 200),
        (["cancel", "cancel"], "cancelled", 200),
        (["end"], "scheduled", 409),
        (["start", "cancel"], "live", 409),
        (["cancel", "start"], "cancelled", 409),
        (["start", "end", "start"], "ended", 409),
        (["cancel", "end"], "cancelled", 409),
    ],
)
def test_a_meeting_walks_through_its_life_in_one_direction(
    as_hana: APIClient, meeting: Meeting, steps: list[str], status: str, code: int
) -> None:
    answers = [as_hana.post(f"{MEETINGS}/{meeting.pk}/{step}") for step in steps]
    assert [answer.status_code for answer in answers[:-1]] == [200] * (len(steps) - 1)
    assert answers[-1].status_code == code
    if code == 409:
        assert answers[-1].json()["code"] == "wrong_state"
    assert as_hana.get(f"{MEETINGS}/{meeting.pk}").json()["status"] == status


def test_doing_it_twice_changes_nothing_the_second_time(as_hana: APIClient, meeting: Meeting) -> None:
    first = as_hana.post(f"{MEETINGS}/{meeting.pk}/start")
    second = as_hana.post(f"{MEETINGS}/{meeting.pk}/start")
    assert (second.json(), second["ETag"]) == (first.json(), first["ETag"])


def test_a_deleted_meeting_vanishes_with_all_that_hangs_on_it_and_comes_back(
    as_hana: APIClient, meeting: Meeting, hana: User
) -> None:
    transcript = making.transcript_of(meeting, hana)
    assert as_hana.delete(f"{MEETINGS}/{meeting.pk}").status_code == 204
    for gone in (
        f"{MEETINGS}/{meeting.pk}",
        f"{MEETINGS}/{meeting.pk}/participants",
        f"/api/v1/transcripts/{transcript.pk}",
    ):
        assert as_hana.get(gone).status_code == 404
    assert as_hana.get(MEETINGS).json()["results"] == []
    assert as_hana.delete(f"{MEETINGS}/{meeting.pk}").status_code == 404
    assert as_hana.post(f"{MEETINGS}/{meeting.pk}/restore").status_code == 200
    assert as_hana.get(f"/api/v1/transcripts/{transcript.pk}").status_code == 200
    assert as_hana.post(f"{MEETINGS}/{meeting.pk}/restore").status_code == 200


def test_a_member_lists_only_the_meetings_they_take_part_in(
    as_pavel: APIClient, as_olga: APIClient, hana: User, meeting: Meeting
) -> None:
    making.meeting_of(hana, title="Without Pavel")
    assert [each["title"] for each in as_pavel.get(MEETINGS).json()["results"]] == ["Board meeting"]
    assert as_olga.get(MEETINGS).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Gamma", "Beta", "Alpha"]),
        ("?ordering=created_at", ["Alpha", "Beta", "Gamma"]),
        ("?ordering=scheduled_start", ["Beta", "Alpha", "Gamma"]),
        ("?ordering=-scheduled_start", ["Gamma", "Alpha", "Beta"]),
        ("?status=live", ["Alpha"]),
        ("?tag=board", ["Beta"]),
        ("?tag=boa", []),
        ("?external_ref=crm-17", ["Gamma"]),
        ("?q=ALPH", ["Alpha"]),
        ("?q=%25", []),
        ("?scheduled_start_after=2026-12-01T12:00:00Z", ["Alpha"]),
        ("?scheduled_start_before=2026-12-01T12:00:00Z", ["Beta"]),
        ("?created_before=2020-01-01T00:00:00Z", []),
        ("?created_after=2020-01-01T00:00:00Z&q=a&status=live", ["Alpha"]),
    ],
)
def test_meetings_are_filtered_and_ordered(as_hana: APIClient, query: str, titles: list[str]) -> None:
    alpha = as_hana.post(MEETINGS, {"title": "Alpha", "scheduled_start": "2026-12-02T09:00:00Z"}).json()
    as_hana.post(f"{MEETINGS}/{alpha['id']}/start")
    as_hana.post(MEETINGS, {"title": "Beta", "scheduled_start": "2026-12-01T09:00:00Z", "tags": ["board", "q4"]})
    as_hana.post(MEETINGS, {"title": "Gamma", "external_ref": "crm-17"})
    assert [each["title"] for each in as_hana.get(f"{MEETINGS}{query}").json()["results"]] == titles


@pytest.mark.parametrize("ordering", ["-created_at", "created_at", "scheduled_start", "-scheduled_start"])
def test_every_meeting_is_on_exactly_one_page_in_every_order(as_hana: APIClient, ordering: str) -> None:
    starts = ["2026-12-01T09:00:00Z", None, "2026-12-01T09:00:00Z", "2026-12-03T09:00:00Z", None]
    made = [as_hana.post(MEETINGS, {"title": "x", "scheduled_start": start}).json()["id"] for start in starts]
    seen: list[str] = []
    address: str | None = f"{MEETINGS}?page_size=2&ordering={ordering}"
    while address:
        page = as_hana.get(address).json()
        seen += [each["id"] for each in page["results"]]
        address = page["next"]
    assert sorted(seen) == sorted(made)
    assert len(seen) == 5


def _cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        "ordering=title", "status=sleeping", "created_after=yesterday", "page_size=0", "page_size=x", "page_size=-1",
        "cursor=%21%21", "cursor=%C3%A9",
        f"cursor={_cursor('p=nothing')}", f"cursor={_cursor('o=-5')}", f"cursor={_cursor('x=1')}",
        f"cursor={_cursor('p=%00')}",
        f"ordering=scheduled_start&cursor={_cursor('p=soon')}", "q=a%00b",
    ],
)  # fmt: skip
def test_a_query_that_means_nothing_is_400(as_hana: APIClient, meeting: Meeting, query: str) -> None:
    assert as_hana.get(f"{MEETINGS}?{query}").status_code == 400


def test_a_page_takes_the_same_queries_whatever_its_length(
    as_hana: APIClient, hana: User, django_assert_num_queries: Any
) -> None:
    making.meeting_of(hana)
    with django_assert_num_queries(2):
        as_hana.get(MEETINGS)
    for _ in range(5):
        making.meeting_of(hana)
    with django_assert_num_queries(2):
        assert len(as_hana.get(MEETINGS).json()["results"]) == 6


def test_an_auditor_sees_every_meeting_and_changes_none(api_for: Any, hana: User, meeting: Meeting) -> None:
    hana.role = "auditor"
    hana.save()
    client = api_for(hana)
    address = f"{MEETINGS}/{meeting.pk}"
    assert client.get(address).status_code == 200
    assert client.patch(address, {"title": "x"}).status_code == 403
    assert client.post(MEETINGS, {"title": "x"}).status_code == 403
    assert client.delete(address).status_code == 403


def test_an_operator_without_an_organization_has_no_meetings(api_for: Any, oscar: User, meeting: Meeting) -> None:
    client = api_for(oscar)
    assert client.get(f"{MEETINGS}/{meeting.pk}").status_code == 404
    assert client.get(MEETINGS).json()["results"] == []
    assert client.post(MEETINGS, {"title": "x"}).status_code == 403


def test_an_unknown_meeting_is_404(as_hana: APIClient) -> None:
    answer = as_hana.get(f"{MEETINGS}/{uuid.uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_restoring_is_for_those_who_may_delete(as_pavel: APIClient, meeting: Meeting) -> None:
    Meeting.objects.filter(pk=meeting.pk).update(archived_at=timezone.now())
    assert as_pavel.post(f"{MEETINGS}/{meeting.pk}/restore").status_code == 403
