"""From a transcript to minutes that cite what was said."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import User
from chatvista.foundation import working
from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from meetings import minuting
from meetings.models import Citation, Meeting, Minutes, MinutesItem, Participant
from tests.fakes.openai_server import OpenAIServer, a_completion, an_error, minutes
from tests.meetings import making

pytestmark = pytest.mark.django_db

SAID = (
    "Good morning, everyone.",
    "We agreed to open the library on Saturday.",
    "Pavel will send the floor plan by Friday.",
    "Who will speak to the newspaper?",
)


def write(meeting: Meeting, user: User) -> Minutes:
    made = minuting.request_minutes(user=user, meeting=meeting, transcript=None, template="corporate", language="")
    return run(made)


def run(made: Minutes) -> Minutes:
    Job.objects.filter(pk=made.job_id).update(next_attempt_at=Now())
    working.run_job(job_id=made.job_id)
    written: Minutes = Minutes.objects.select_related("job").get(pk=made.pk)
    return written


def test_without_a_key_the_minutes_only_hold_what_was_said(hana: User, meeting: Meeting) -> None:
    making.transcript_of(meeting, hana, SAID)
    made = write(meeting, hana)
    assert (made.job.state, made.engine, made.status) == ("completed", "extractive", "draft")
    assert made.coverage["segments_total"] == made.coverage["segments_used"] == 4
    for item in made.items.prefetch_related("evidence__segment"):
        cited = list(item.evidence.all())
        assert cited, item.text
        for citation in cited:
            assert citation.quote in citation.segment.text
            assert citation.start_ms == citation.segment.start_ms
    decisions = made.items.filter(section="decisions").values_list("text", flat=True)
    assert any("agreed to open the library" in text for text in decisions)


def test_an_action_item_finds_its_owner_among_the_participants(hana: User, meeting: Meeting) -> None:
    making.transcript_of(meeting, hana, SAID)
    action = write(meeting, hana).items.get(section="action_items")
    assert action.owner == meeting.participants.get(name="Pavel")
    assert (action.owner_name, action.status) == ("Pavel", "open")
    assert action.due_on is not None


def test_openais_minutes_keep_only_items_whose_lines_exist(hana: User, meeting: Meeting, openai: OpenAIServer) -> None:
    making.transcript_of(meeting, hana, SAID)
    openai.next(
        minutes(
            summary=[{"text": "The library opens.", "lines": ["L2"]}],
            decisions=[
                {"text": "Open on Saturday.", "lines": ["L2"]},
                {"text": "Paint it red.", "lines": ["L99"]},
            ],
        )
    )
    made = write(meeting, hana)
    assert (made.job.state, made.engine) == ("completed", "openai")
    assert list(made.items.filter(section="decisions").values_list("text", flat=True)) == ["Open on Saturday."]
    assert Citation.objects.get(item__section="decisions").quote == SAID[1]
    assert sum(made.coverage["dropped"].values()) >= 1
    asked = openai.asked[0].fields["messages"]
    assert all(line in str(asked) for line in SAID)


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (an_error(401), "failed", "openai_key_refused"),
        (an_error(429, Retry_After="5"), "queued", "openai_busy"),
        (an_error(500), "queued", "openai_busy"),
        (a_completion("{not json"), "queued", "minutes_answer_unusable"),
        (a_completion(None, refusal="I cannot."), "failed", "minutes_refused"),
        (a_completion('{"summary": [', finish_reason="length"), "failed", "minutes_answer_truncated"),
    ],
)
def test_a_failed_answer_leaves_no_half_minutes(
    hana: User, meeting: Meeting, openai: OpenAIServer, answer: Any, state: str, code: str
) -> None:
    making.transcript_of(meeting, hana, SAID[:1])
    openai.always(answer)
    made = write(meeting, hana)
    assert (made.job.state, made.job.error_code) == (state, code)
    assert not MinutesItem.objects.exists()
    assert made.shown_status == ("pending" if state == "queued" else "failed")


def test_minutes_need_a_transcript(hana: User, meeting: Meeting) -> None:
    with pytest.raises(Problem) as caught:
        write(meeting, hana)
    assert (caught.value.code, caught.value.status) == ("no_transcript", 409)


def test_versions_are_counted_and_none_is_overwritten(hana: User, meeting: Meeting) -> None:
    making.transcript_of(meeting, hana, SAID)
    first, second = write(meeting, hana), write(meeting, hana)
    assert (first.version, second.version) == (1, 2)
    assert first.items.count() == second.items.count() > 0


def test_running_a_finished_job_again_changes_nothing(hana: User, meeting: Meeting) -> None:
    making.transcript_of(meeting, hana, SAID)
    made = write(meeting, hana)
    before = list(made.items.values_list("pk", flat=True))
    run(made)
    assert list(made.items.values_list("pk", flat=True)) == before


@pytest.mark.parametrize(
    ("spoken", "found"),
    [("Pavel", 0), ("pavel novak", 0), ("Ann", None), ("Ann Lee", 1), ("Nobody", None), ("", None), ("  ", None)],
)
def test_a_spoken_name_means_a_participant_only_when_it_means_one(spoken: str, found: int | None) -> None:
    people = [Participant(name="Pavel Novak"), Participant(name="Ann Lee"), Participant(name="Ann Roe")]
    matched = minuting.matching_participant(name=spoken, people=people)
    assert matched == (None if found is None else people[found])
