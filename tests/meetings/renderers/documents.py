"""The documents the tests render: a plausible meeting, and one whose every text tries to be markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from meetings.renderers.contracts import (
    Citation,
    Coverage,
    Entry,
    Heading,
    MinutesDocument,
    Person,
    SpokenLine,
    TranscriptDocument,
)

MEETING = Heading(
    title="Harbour Library: opening week",
    meeting_id="0193f0c0-0000-7000-8000-000000000001",
    organization="Harbour Town Council",
    started_at=datetime(2026, 7, 9, 9, 0, tzinfo=UTC),
    ended_at=datetime(2026, 7, 9, 9, 45, tzinfo=UTC),
    timezone="Europe/London",
    participants=(Person("Hana", "host"), Person("Pavel", "participant")),
    url="https://meetings.example.org/m/1",
)

LINES = (
    SpokenLine("Hana", 300, 4_000, "We agreed to open on Saturday."),
    SpokenLine("Pavel", 4_200, 9_000, "I will order the chairs tomorrow."),
    SpokenLine("", 3_852_000, 3_860_000, "Who will speak to the newspaper?"),
)

TRANSCRIPT = TranscriptDocument(
    meeting=MEETING, language="en", engine="local", model="tiny.en", duration_ms=3_900_000, lines=LINES
)

MINUTES = MinutesDocument(
    meeting=MEETING,
    engine="extractive",
    model="1",
    status="draft",
    language="en",
    summary=(Entry("The library opens on a Saturday.", (Citation("Hana", 300, LINES[0].text),)),),
    topics=(Entry("Opening", (Citation("Hana", 300, LINES[0].text),)),),
    decisions=(Entry(LINES[0].text, (Citation("Hana", 300, LINES[0].text),)),),
    action_items=(
        Entry("Order the chairs", (Citation("Pavel", 4_200, LINES[1].text),), "Pavel", date(2026, 7, 10), "open"),
        Entry("Find a speaker", (Citation("", 3_852_000, LINES[2].text),)),
    ),
    open_questions=(Entry("Who speaks?", (Citation("", 3_852_000, LINES[2].text),)),),
    coverage=Coverage(segments_total=3, segments_used=2, truncated=True, dropped=4),
)

HOSTILE = (
    '#import "x": * #panic("no") $x^2$ ] [ \\ *b* _i_ <lbl> @ref `raw` // c /* " \' = - | & &amp; '
    "<script>alert(1)</script> --> {\\an8} end"
)
UNPRINTABLE = "\x00\x0b\x1b\ud800\ufffe\u202e"

HOSTILE_MEETING = replace(
    MEETING,
    title=HOSTILE + UNPRINTABLE,
    organization=HOSTILE,
    participants=(Person(HOSTILE, "x"),),
    timezone="../../etc/passwd",
    url="javascript:alert(1)",
)


def hostile_minutes() -> MinutesDocument:
    """Minutes in which every text is hostile."""
    entry = Entry(
        HOSTILE + UNPRINTABLE, (Citation(HOSTILE, 1, HOSTILE + " said"),), HOSTILE, date(2026, 1, 1), status=HOSTILE
    )
    return MinutesDocument(
        meeting=HOSTILE_MEETING,
        engine=HOSTILE,
        model=HOSTILE,
        status=HOSTILE,
        language='en" onload="x',
        summary=(entry,),
        topics=(entry,),
        decisions=(entry,),
        action_items=(entry,),
        open_questions=(entry,),
    )


def hostile_transcript() -> TranscriptDocument:
    """A transcript in which every text is hostile, on several lines."""
    text = HOSTILE + UNPRINTABLE + "\r\n\n00:00:01.000 --> 00:00:02.000\u2028" + HOSTILE
    lines = (SpokenLine(HOSTILE + "\n", 0, 5_000, text), SpokenLine(UNPRINTABLE, 5_000, 5_000, UNPRINTABLE))
    return replace(TRANSCRIPT, meeting=HOSTILE_MEETING, engine=HOSTILE, model=HOSTILE, lines=lines)
