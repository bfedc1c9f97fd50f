"""By which day something is due, from the words of a promise and the day of the meeting. Only where it is certain.

"Next Friday" means two different days to two people, so it gives nothing. A week ends on its Friday.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

from meetings.gateways.extraction.cues import Calendar

_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|e|º|\.)?")
_LONGEST_AGO_DAYS = 90  # a day this recently past was meant as past; further back, next year's is meant


def due_on(text: str, *, held_on: date, calendar: Calendar) -> date | None:
    """Give the day by which the promise in `text` is due, or None when no single certain day was said."""
    lowered = text.lower()
    for reading in (_iso, _relative, _day_and_month, _week_or_month, _weekday, _day_of_month):
        found = {day for day in reading(lowered, held_on, calendar) if day >= held_on}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _iso(text: str, held_on: date, calendar: Calendar) -> list[date]:
    del held_on, calendar
    days = (_day(int(year), int(month), int(day)) for year, month, day in _ISO.findall(text))
    return [day for day in days if day]


def _relative(text: str, held_on: date, calendar: Calendar) -> list[date]:
    if re.search(calendar.day_after_tomorrow, text):
        return [held_on + timedelta(days=2)]
    found = [held_on + timedelta(days=1)] if re.search(calendar.tomorrow, text) else []
    found += [held_on] if re.search(calendar.today, text) else []
    for pattern, days in ((calendar.in_days, 1), (calendar.in_weeks, 7)):
        for match in re.finditer(pattern, text):
            count = _number(match["count"], calendar)
            found += [held_on + timedelta(days=days * count)] if count else []
    return found


def _day_and_month(text: str, held_on: date, calendar: Calendar) -> list[date]:
    found = []
    for pattern in _dated_patterns(calendar.day_and_month, calendar.months):
        for match in pattern.finditer(text):
            number = _number(match["day"], calendar)
            month = _month(match["month"], calendar.months)
            year = match.groupdict().get("year")
            day = _day(int(year), month, number or 0) if year else _coming(month, number or 0, held_on)
            found += [day] if day else []
    return found


def _week_or_month(text: str, held_on: date, calendar: Calendar) -> list[date]:
    if re.search(calendar.end_of_month, text):
        return [held_on.replace(day=monthrange(held_on.year, held_on.month)[1])]
    friday = held_on + timedelta(days=4 - held_on.weekday())
    if re.search(calendar.next_week, text):
        return [friday + timedelta(days=7)]
    return [friday] if re.search(calendar.end_of_week, text) else []


def _weekday(text: str, held_on: date, calendar: Calendar) -> list[date]:
    found = []
    for number, name in enumerate(calendar.weekdays):
        # Said on a Friday, "by Friday" may be today or in a week.
        said = rf"{calendar.deadline}(?:{name})\b|\b(?:{name})\s*[.,!]*$"
        if number != held_on.weekday() and re.search(said, text) and not re.search(calendar.not_coming(name), text):
            found.append(held_on + timedelta(days=(number - held_on.weekday()) % 7))
    return found


def _day_of_month(text: str, held_on: date, calendar: Calendar) -> list[date]:
    found = []
    for match in re.finditer(calendar.day_of_month, text):
        number = _number(match["day"], calendar) or 0
        first = held_on.replace(day=1)
        this, following = first, (first + timedelta(days=32))
        day = _day(this.year, this.month, number)
        if day is None or day < held_on:
            day = _day(following.year, following.month, number)
        found += [day] if day else []
    return found


@lru_cache(maxsize=16)
def _dated_patterns(patterns: tuple[str, ...], months: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern.replace("{MONTHS}", "|".join(months))) for pattern in patterns)


def _month(name: str, months: tuple[str, ...]) -> int:
    if name.isdigit():
        return int(name)
    return next(number for number, names in enumerate(months, start=1) if re.fullmatch(names, name))


def _number(word: str, calendar: Calendar) -> int | None:
    match = _ORDINAL.fullmatch(word)
    return int(match.group(1)) if match else calendar.numbers.get(word)


def _coming(month: int, number: int, held_on: date) -> date | None:
    day = _day(held_on.year, month, number)
    if day and (held_on - day).days > _LONGEST_AGO_DAYS:
        return _day(held_on.year + 1, month, number)
    return day


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None
