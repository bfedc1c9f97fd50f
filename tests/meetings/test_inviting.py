from __future__ import annotations

from functools import partial

import pytest

from accounts.models import User
from chatvista.foundation.problems import Problem
from meetings import inviting
from meetings.models import Participant, ParticipantRole
from tests.meetings import making
from tests.meetings.racing import race


@pytest.mark.django_db(transaction=True)
def test_two_hosts_who_step_down_at_once_leave_one_host(hana: User, pavel: User) -> None:
    for _ in range(5):
        meeting = making.meeting_of(hana, pavel, role="host")
        hosts = list(meeting.participants.select_related("meeting"))
        outcomes = race(
            [partial(inviting.change_participant, user=hana, participant=host, role="participant") for host in hosts]
        )
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Problem)] == ["last_host"]
        assert meeting.participants.filter(role=ParticipantRole.HOST).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_person_invited_several_times_at_once_is_there_once(hana: User, pavel: User) -> None:
    meeting = making.meeting_of(hana)
    outcomes = race([lambda: making.join(meeting, pavel, by=hana)] * 4)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Participant", "Problem", "Problem", "Problem"]
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Problem)} == {"already_participant"}
    assert Participant.objects.filter(meeting=meeting, user=pavel).count() == 1


@pytest.mark.django_db
def test_somebody_whose_account_is_closed_is_from_outside(hana: User, pavel: User) -> None:
    pavel.is_active = False
    pavel.save()
    meeting = making.meeting_of(hana)
    person = inviting.add_participant(
        user=hana, meeting=meeting, person=None, name="", email=pavel.email, role="participant"
    )
    assert person.user is None


@pytest.mark.django_db
def test_a_host_from_outside_does_not_count_as_the_last_one_standing(hana: User) -> None:
    meeting = making.meeting_of(hana)
    guest = inviting.add_participant(
        user=hana, meeting=meeting, person=None, name="Guest", email="g@example.com", role="host"
    )
    with pytest.raises(Problem) as caught:
        inviting.remove_participant(user=hana, participant=meeting.participants.get(user=hana))
    assert caught.value.code == "last_host"
    inviting.remove_participant(user=hana, participant=guest)
    assert meeting.participants.count() == 1
