from __future__ import annotations

import pytest

from accounts.models import User
from meetings import importing
from meetings.models import Segment, Speaker, Transcript
from meetings.readers.contracts import SaidLine
from tests.meetings import making
from tests.meetings.racing import race


@pytest.mark.django_db(transaction=True)
def test_imports_at_the_same_time_are_versions_of_their_own(hana: User) -> None:
    meeting = making.meeting_of(hana)
    outcomes = race([lambda: making.transcript_of(meeting, hana)] * 4)
    assert sorted(outcome.version for outcome in outcomes) == [1, 2, 3, 4]


@pytest.mark.django_db
def test_what_fails_half_way_leaves_nothing(hana: User) -> None:
    meeting = making.meeting_of(hana)
    # The database refuses the last line, after thousands have been written.
    lines = [SaidLine("Hana", 0, 1, "x")] * 4000 + [SaidLine("Hana", 5, 1, "x")]
    with pytest.raises(Exception, match="a_segment_ends_after_it_starts"):
        importing.import_transcript(user=hana, meeting=meeting, lines=lines, form="json")
    assert (Transcript.objects.count(), Segment.objects.count(), Speaker.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_an_import_without_a_language_has_that_of_the_meeting(hana: User) -> None:
    meeting = making.meeting_of(hana)
    meeting.language = "de"
    meeting.save()
    assert making.transcript_of(meeting, hana).language == "de"
