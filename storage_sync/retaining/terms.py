"""When a file is due, by a policy's days: calculation alone, the clock passed in.

A day is 24 hours of UTC, so neither a change of the clocks nor a leap day makes a term longer or shorter. A file is due
from the exact instant on, not a day after it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says: days until archiving and from then until purging; None is never."""

    archive_after_days: int | None
    purge_after_days: int | None

    def archive_at(self, *, kept_since: dt.datetime) -> dt.datetime | None:
        """When a stored file goes to the archive."""
        return None if self.archive_after_days is None else kept_since + dt.timedelta(days=self.archive_after_days)

    def purge_at(self, *, archived_at: dt.datetime) -> dt.datetime | None:
        """When an archived file is removed for good."""
        return None if self.purge_after_days is None else archived_at + dt.timedelta(days=self.purge_after_days)

    def purge_at_once_archived(self, *, kept_since: dt.datetime, now: dt.datetime) -> dt.datetime | None:
        """When a file that is still stored at `now` is removed, if it is archived as soon as it is due."""
        archived_at = self.archive_at(kept_since=kept_since)
        return None if archived_at is None else self.purge_at(archived_at=max(archived_at, now))


def kept_since(*, stored_at: dt.datetime, restored_at: dt.datetime | None) -> dt.datetime:
    """From when a file's days count: somebody who restores it wants to keep it for another while."""
    return stored_at if restored_at is None else max(stored_at, restored_at)


def cutoff(*, at: dt.datetime, days: int) -> dt.datetime:
    """What began then or earlier is due at `at`; the same boundary as above, seen from the other end."""
    return at - dt.timedelta(days=days)
