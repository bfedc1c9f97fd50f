from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation.models import Job
from meetings.models import Meeting, Minutes
from tests.meetings import making

pytestmark = pytest.mark.django_db


def minutes_of(meeting: Meeting) -> str:
    return f"/api/v1/meetings/{meeting.pk}/minutes"


def test_asking_for_minutes_gives_them_and_a_job_to_follow(as_pavel: APIClient, meeting: Meeting, hana: User) -> None:
    transcript = making.transcript_of(meeting, hana)
    answer = as_pavel.post(minutes_of(meeting), {})
    assert answer.status_code == 202
    minutes, job = answer.json()["minutes"], answer.json()["job"]
    assert (minutes["transcript"], minutes["version"], minutes["status"]) == (str(transcript.pk), 1, "pending")
    assert (minutes["summary"], minutes["decisions"], minutes["coverage"]["segments_total"]) == ("", [], 0)
    assert (job["kind"], job["state"]) == ("minutes", "queued")
    assert as_pavel.get(f"/api/v1/jobs/{job['id']}").json() == job
    assert as_pavel.get(answer["Location"]).json() == minutes
    assert as_pavel.post(f"/api/v1/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert as_pavel.get(answer["Location"]).json()["status"] == "failed"


def test_without_a_transcript_there_is_nothing_to_minute(as_hana: APIClient, meeting: Meeting) -> None:
    answer = as_hana.post(minutes_of(meeting), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_transcript")
    assert not Job.objects.exists()


def test_an_older_transcript_can_be_named(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    older, newer = making.transcript_of(meeting, hana), making.transcript_of(meeting, hana)
    first = as_hana.post(minutes_of(meeting), {"transcript": str(older.pk), "language": "de"}).json()["minutes"]
    second = as_hana.post(minutes_of(meeting), {"template": "board"}).json()["minutes"]
    assert (first["transcript"], first["language"], first["version"]) == (str(older.pk), "de", 1)
    assert (second["transcript"], second["template"], second["version"]) == (str(newer.pk), "board", 2)
    assert [each["version"] for each in as_hana.get(minutes_of(meeting)).json()["results"]] == [2, 1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("template", "poem"), ("template", 5), ("template", None), ("language", 5), ("language", "??"),
     ("transcript", "x"), ("transcript", 5), ("transcript", "00000000-0000-7000-8000-000000000000"),
     ("engine", "x"), ("status", "draft")],
)  # fmt: skip
def test_a_wish_that_means_nothing_is_refused(
    as_hana: APIClient, meeting: Meeting, hana: User, field: str, value: Any
) -> None:
    making.transcript_of(meeting, hana)
    answer = as_hana.post(minutes_of(meeting), {field: value})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_the_transcript_of_another_meeting_is_refused(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    making.transcript_of(meeting, hana)
    elsewhere = making.transcript_of(making.meeting_of(hana), hana)
    assert as_hana.post(minutes_of(meeting), {"transcript": str(elsewhere.pk)}).status_code == 400


def test_every_line_points_at_the_moment_it_rests_on(as_pavel: APIClient, meeting: Meeting, hana: User) -> None:
    minutes = making.minutes_of(meeting, hana, actions=2)
    given = as_pavel.get(f"/api/v1/minutes/{minutes.pk}").json()
    segment = minutes.transcript.segments.get(position=0)
    evidence = [{"segment": str(segment.pk), "start_ms": 0, "quote": "We agreed to ship."}]
    assert (given["status"], given["summary"], given["summary_evidence"]) == ("draft", "summary 0", evidence)
    assert [(item["text"], item["evidence"]) for item in given["decisions"]] == [("decisions 0", evidence)]
    assert (given["topics"], given["open_questions"]) == ([], [])
    action = given["action_items"][0]
    assert {name: action[name] for name in action if name != "id"} == {
        "text": "action_items 0", "evidence": evidence, "owner": None, "due_on": "2026-12-01", "status": "open",
    }  # fmt: skip


def test_minutes_take_the_same_queries_whatever_their_length(
    as_hana: APIClient, meeting: Meeting, hana: User, django_assert_num_queries: Any
) -> None:
    short, long = making.minutes_of(meeting, hana, actions=1), making.minutes_of(meeting, hana, actions=40)
    for minutes in (short, long):
        with django_assert_num_queries(4):
            as_hana.get(f"/api/v1/minutes/{minutes.pk}")
    with django_assert_num_queries(5):
        assert len(as_hana.get(minutes_of(meeting)).json()["results"]) == 2


def test_the_same_key_asks_once(as_hana: APIClient, meeting: Meeting, hana: User) -> None:
    making.transcript_of(meeting, hana)
    answers = [as_hana.post(minutes_of(meeting), {}, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Minutes.objects.count() == 1


def test_who_may_not_write_minutes(as_olga: APIClient, as_pavel: APIClient, meeting: Meeting, hana: User) -> None:
    minutes = making.minutes_of(meeting, hana)
    assert as_olga.get(f"/api/v1/minutes/{minutes.pk}").status_code == 404
    assert as_olga.post(minutes_of(meeting), {}).status_code == 404
    assert as_olga.get(f"/api/v1/jobs/{minutes.job_id}").status_code == 404
    meeting.participants.filter(name="Pavel").update(role="observer")
    assert as_pavel.get(f"/api/v1/minutes/{minutes.pk}").status_code == 200
    assert as_pavel.post(minutes_of(meeting), {"template": 5}).status_code == 403
    assert as_pavel.get(f"/api/v1/jobs/{minutes.job_id}").status_code == 200
    assert as_pavel.post(f"/api/v1/jobs/{minutes.job_id}/cancel").status_code == 403
