"""What the policies would do now and within the next days, before they do it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Count, Sum

from storage_sync.models import RetentionPolicy, StoredFile
from storage_sync.querysets import StoredFileQuerySet
from storage_sync.retaining import selecting
from storage_sync.retaining.terms import Terms, kept_since

LISTED = 100
LONGEST_LOOK_DAYS = 3_650


@dataclass(slots=True)
class Amount:
    """How many files, of how many bytes as people uploaded them."""

    files: int = 0
    bytes: int = 0

    def add(self, other: Amount) -> None:
        """Count these, too."""
        self.files += other.files
        self.bytes += other.bytes


@dataclass(frozen=True, slots=True)
class Item:
    """One file and when it is due."""

    file: StoredFile
    due_at: dt.datetime
    policy_id: uuid.UUID


@dataclass(slots=True)
class Upcoming:
    """What is due now, what will be within the days looked ahead, and the first hundred of both by when they are."""

    now: Amount = field(default_factory=Amount)
    later: Amount = field(default_factory=Amount)
    first: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """Seen at `as_of`, by the database's clock. `held` would be purged, were they not under legal hold."""

    as_of: dt.datetime
    days: int
    archive: Upcoming = field(default_factory=Upcoming)
    purge: Upcoming = field(default_factory=Upcoming)
    held: Amount = field(default_factory=Amount)


def plan(
    *, days: int = 0, tenant_id: uuid.UUID | None = None, category: str | None = None, now: dt.datetime | None = None
) -> Plan:
    """What a run now would do, and what runs until `days` from now would if nothing else changed."""
    as_of = now or selecting.database_now()
    made = Plan(as_of=as_of, days=days)
    for policy in selecting.policies_for(tenant_id=tenant_id, category=category):
        _look_ahead(made, policy, tenant_id)
    for upcoming in (made.archive, made.purge):
        upcoming.first = sorted(upcoming.first, key=lambda item: (item.due_at, item.file.pk))[:LISTED]
    return made


def _look_ahead(made: Plan, policy: RetentionPolicy, tenant_id: uuid.UUID | None) -> None:
    now, until, terms = made.as_of, made.as_of + dt.timedelta(days=made.days), selecting.terms_of(policy)
    archive_now = selecting.to_archive(policy=policy, at=now, tenant_id=tenant_id)
    archive_all = selecting.to_archive(policy=policy, at=until, tenant_id=tenant_id)
    purge_now = selecting.to_purge(policy=policy, at=now, tenant_id=tenant_id)
    purge_all = selecting.to_purge(policy=policy, at=until, tenant_id=tenant_id)
    chained = selecting.to_purge_once_archived(policy=policy, now=now, at=until, tenant_id=tenant_id)
    _count(made.archive, archive_now, archive_all)
    _count(made.purge, purge_now, purge_all)
    made.purge.later.add(_amount(chained))
    held = selecting.purgeable(policy=policy, at=until, tenant_id=tenant_id).filter(has_legal_hold=True)
    made.held.add(_amount(held))
    made.archive.first += _items(archive_all.order_by("stored_at"), policy, _archive_at(terms))
    made.purge.first += _items(purge_all.order_by("archived_at"), policy, _purge_at(terms))
    made.purge.first += _items(chained.order_by("stored_at"), policy, _purge_at_once_archived(terms, now))


def _amount(files: StoredFileQuerySet) -> Amount:
    found = files.aggregate(files=Count("pk"), bytes=Sum("size", default=0))
    return Amount(found["files"], int(found["bytes"]))


def _count(upcoming: Upcoming, due_now: StoredFileQuerySet, due_until: StoredFileQuerySet) -> None:
    """What is due now is among what is due until then, so that the rest need not be looked for."""
    now, both = _amount(due_now), _amount(due_until)
    upcoming.now.add(now)
    upcoming.later.add(Amount(both.files - now.files, both.bytes - now.bytes))


Due = Callable[[StoredFile], dt.datetime | None]


def _items(files: StoredFileQuerySet, policy: RetentionPolicy, due: Due) -> list[Item]:
    dated = ((file, due(file)) for file in files[:LISTED])
    return [Item(file, at, policy.pk) for file, at in dated if at is not None]


def _since(file: StoredFile) -> dt.datetime:
    if file.stored_at is None:
        raise ValueError("a file that was never stored is kept by nobody")
    return kept_since(stored_at=file.stored_at, restored_at=file.restored_at)


def _archive_at(terms: Terms) -> Due:
    return lambda file: terms.archive_at(kept_since=_since(file))


def _purge_at(terms: Terms) -> Due:
    return lambda file: None if file.archived_at is None else terms.purge_at(archived_at=file.archived_at)


def _purge_at_once_archived(terms: Terms, now: dt.datetime) -> Due:
    return lambda file: terms.purge_at_once_archived(kept_since=_since(file), now=now)
