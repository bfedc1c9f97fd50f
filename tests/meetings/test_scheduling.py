from __future__ import annotations

from functools import partial

import pytest
from django.http import Http404

from accounts.models import User
from chatvista.foundation.problems import Problem
from meetings import scheduling
from meetings.models import Meeting
from tests.meetings import making
from tests.meetings.racing import race


def anything(_: Meeting) -> None:
    """No precondition."""


@pytest.mark.django_db(transaction=True)
def test_of_a_start_and_a_cancellation_at_once_one_wins(hana: User) -> None:
    for _ in range(5):
        meeting = making.meeting_of(hana)
        outcomes = race(
            [
                partial(scheduling.start_meeting, user=hana, meeting=meeting),
                partial(scheduling.cancel_meeting, user=hana, meeting=meeting),
            ]
        )
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
        assert [refusal.code for refusal in refusals] == ["wrong_state"]
        meeting.refresh_from_db()
        assert meeting.revision == 2


@pytest.mark.django_db(transaction=True)
def test_of_changes_that_rest_on_one_reading_one_wins(hana: User) -> None:
    meeting = making.meeting_of(hana)

    def unchanged(row: Meeting) -> None:
        if row.revision != meeting.revision:
            raise Problem("stale_revision", "changed", status=412)

    outcomes = race(
        [
            partial(scheduling.change_meeting, user=hana, meeting=meeting, changes={"title": title}, check=unchanged)
            for title in ("One", "Two", "Three")
        ]
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, Meeting)]
    assert len(won) == 1
    assert Meeting.objects.get(pk=meeting.pk).title == won[0].title


@pytest.mark.django_db
def test_a_change_that_changes_nothing_keeps_the_revision(hana: User) -> None:
    meeting = making.meeting_of(hana, title="Same")
    row = scheduling.change_meeting(user=hana, meeting=meeting, changes={"title": "Same"}, check=anything)
    assert row.revision == 1


@pytest.mark.django_db
def test_what_went_to_the_trash_meanwhile_is_not_there_any_more(hana: User) -> None:
    meeting = making.meeting_of(hana)
    scheduling.archive_meeting(user=hana, meeting=meeting, check=anything)
    for deed in (scheduling.start_meeting, scheduling.end_meeting, scheduling.cancel_meeting):
        with pytest.raises(Http404):
            deed(user=hana, meeting=meeting)


@pytest.mark.django_db
def test_a_meeting_of_another_organization_cannot_be_changed_even_by_its_owner(hana: User, olga: User) -> None:
    meeting = making.meeting_of(hana)
    with pytest.raises(Problem) as caught:
        scheduling.change_meeting(user=olga, meeting=meeting, changes={"title": "x"}, check=anything)
    assert caught.value.status == 403
