"""How moments read: positions in a recording, dates, and a meeting's local time."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from meetings.renderers.contracts import Heading
from meetings.renderers.wording import Wording


def stamp(position_ms: int) -> str:
    """Return a position as people say it: `04:12`, or `1:04:12` from an hour on."""
    seconds = max(position_ms, 0) // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def long_date(day: date, *, wording: Wording) -> str:
    """Return a date in words, in the document's language."""
    return wording.date.format(day=day.day, month=wording.month(day.month), year=day.year)


def zone(name: str) -> tzinfo:
    """Return the named time zone, or UTC when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def when(meeting: Heading, *, wording: Wording) -> str:
    """Return the meeting's date and time where it was held, or nothing when it is not known."""
    if meeting.started_at is None:
        return ""
    place = zone(meeting.timezone)
    begin = meeting.started_at.astimezone(place)
    text = f"{long_date(begin, wording=wording)}, {begin:%H:%M}"
    if meeting.ended_at is not None:
        end = meeting.ended_at.astimezone(place)
        text += f"\u2013{end:%H:%M}" if end.date() == begin.date() else ""
    return f"{text} ({meeting.timezone if place is not UTC else 'UTC'})"


def instant(moment: datetime) -> str:
    """Return an instant in UTC, to the minute: for the note on when a document was made."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
