"""When a file is due: golden instants, and the boundary seen from both ends."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_sync.retaining.terms import Terms, cutoff, kept_since


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("stored", "days", "due"),
    [
        ("2026-11-23T10:00:00", 1, "2026-11-24T10:00:00"),
        ("2024-02-28T12:00:00", 1, "2024-02-29T12:00:00"),
        ("2024-02-29T12:00:00", 365, "2025-02-28T12:00:00"),
        ("2023-02-28T12:00:00", 1, "2023-03-01T12:00:00"),
        ("2024-02-29T00:00:00", 1461, "2028-02-29T00:00:00"),
        ("2026-12-31T23:59:59.999999", 1, "2027-01-01T23:59:59.999999"),
        # Summer time begins and ends in between: a day is still 24 hours.
        ("2026-03-28T02:30:00", 1, "2026-03-29T02:30:00"),
        ("2026-10-24T02:30:00", 1, "2026-10-25T02:30:00"),
        ("2026-01-01T00:00:00", 36_500, "2125-12-08T00:00:00"),
    ],
)
def test_days_are_twenty_four_hours(stored: str, days: int, due: str) -> None:
    assert Terms(days, None).archive_at(kept_since=at(stored)) == at(due)
    assert Terms(None, days).purge_at(archived_at=at(stored)) == at(due)
    assert cutoff(at=at(due), days=days) == at(stored)


def test_never_is_never() -> None:
    now = at("2026-11-23T10:00:00")
    assert Terms(None, 5).archive_at(kept_since=now) is None
    assert Terms(5, None).purge_at(archived_at=now) is None
    assert Terms(None, 5).purge_at_once_archived(kept_since=now, now=now) is None
    assert Terms(5, None).purge_at_once_archived(kept_since=now, now=now) is None


def test_a_file_that_is_overdue_for_the_archive_is_purged_counting_from_now() -> None:
    now = at("2026-11-23T10:00:00")
    long_ago, lately = at("2020-01-01T00:00:00"), at("2026-11-22T10:00:00")
    assert Terms(2, 3).purge_at_once_archived(kept_since=long_ago, now=now) == at("2026-11-26T10:00:00")
    assert Terms(2, 3).purge_at_once_archived(kept_since=lately, now=now) == at("2026-11-27T10:00:00")


def test_who_restores_a_file_keeps_it_for_another_while() -> None:
    stored, restored = at("2026-01-01T00:00:00"), at("2026-06-01T00:00:00")
    assert kept_since(stored_at=stored, restored_at=None) == stored
    assert kept_since(stored_at=stored, restored_at=restored) == restored


instants = st.datetimes(min_value=dt.datetime(2000, 1, 1), max_value=dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001  the zone is given beside


@given(began=instants, now=instants, days=st.integers(1, 36_500))
def test_both_ends_of_the_boundary_agree(began: dt.datetime, now: dt.datetime, days: int) -> None:
    due = Terms(days, days).purge_at(archived_at=began)
    assert due is not None
    assert (due <= now) == (began <= cutoff(at=now, days=days))
