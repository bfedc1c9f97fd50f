"""Which files a policy is about, and which of them are due at an instant: the one place that both plan and deed ask.

A tenant's own policy for a category stands in the place of the general one, as a whole. Files without a tenant belong
to the service itself, and no policy is about them.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import connection
from django.db.models import Q

from storage_sync.models import RetentionPolicy, StoredFile
from storage_sync.querysets import StoredFileQuerySet
from storage_sync.retaining.terms import Terms, cutoff
from storage_sync.vocabulary import FileState


def database_now() -> dt.datetime:
    """The instant by the database's clock, the one that wrote what is compared with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [now] = cursor.fetchone()
    found: dt.datetime = now
    return found


def terms_of(policy: RetentionPolicy) -> Terms:
    """The days of a policy."""
    return Terms(policy.archive_after_days, policy.purge_after_days)


def policies_for(*, tenant_id: uuid.UUID | None = None, category: str | None = None) -> list[RetentionPolicy]:
    """The policies that may be about files of this tenant and category; of all where none is named."""
    found = RetentionPolicy.objects.all()
    if tenant_id is not None:
        found = found.filter(Q(tenant_id=tenant_id) | Q(tenant_id__isnull=True))
    if category is not None:
        found = found.filter(category=category)
    return list(found.order_by("category", "pk"))


def governed(*, policy: RetentionPolicy, tenant_id: uuid.UUID | None = None) -> StoredFileQuerySet:
    """The files a policy is about; only those of one tenant where it is named."""
    files = StoredFile.objects.filter(category=policy.category, tenant_id__isnull=False)
    if tenant_id is not None:
        files = files.filter(tenant_id=tenant_id)
    if policy.tenant_id is not None:
        return files.filter(tenant_id=policy.tenant_id)
    own = RetentionPolicy.objects.filter(category=policy.category, tenant_id__isnull=False)
    return files.exclude(tenant_id__in=own.values("tenant_id"))


def to_archive(
    *, policy: RetentionPolicy, at: dt.datetime, tenant_id: uuid.UUID | None = None
) -> StoredFileQuerySet:  # fmt: skip
    """Stored files whose days are over at that instant."""
    if policy.archive_after_days is None:
        return StoredFile.objects.none()
    stored = governed(policy=policy, tenant_id=tenant_id).stored()
    return _kept_since(stored, cutoff(at=at, days=policy.archive_after_days))


def to_purge(*, policy: RetentionPolicy, at: dt.datetime, tenant_id: uuid.UUID | None = None) -> StoredFileQuerySet:
    """Archived files whose days are over at that instant and that nothing holds."""
    return purgeable(policy=policy, at=at, tenant_id=tenant_id).filter(has_legal_hold=False)


def purgeable(*, policy: RetentionPolicy, at: dt.datetime, tenant_id: uuid.UUID | None = None) -> StoredFileQuerySet:
    """Archived files whose days are over at that instant, held or not."""
    if policy.purge_after_days is None:
        return StoredFile.objects.none()
    archived = governed(policy=policy, tenant_id=tenant_id).filter(state=FileState.ARCHIVED)
    return archived.filter(archived_at__lte=cutoff(at=at, days=policy.purge_after_days))


def to_purge_once_archived(
    *, policy: RetentionPolicy, now: dt.datetime, at: dt.datetime, tenant_id: uuid.UUID | None = None
) -> StoredFileQuerySet:
    """Files still stored `now` that the policy archives and, by the later instant `at`, removes."""
    if policy.archive_after_days is None or policy.purge_after_days is None:
        return StoredFile.objects.none()
    last_day_to_archive = cutoff(at=at, days=policy.purge_after_days)
    if last_day_to_archive < now:
        return StoredFile.objects.none()
    due = to_archive(policy=policy, at=last_day_to_archive, tenant_id=tenant_id)
    return due.filter(has_legal_hold=False)


def _kept_since(files: StoredFileQuerySet, then: dt.datetime) -> StoredFileQuerySet:
    return files.filter(Q(restored_at__isnull=True) | Q(restored_at__lte=then), stored_at__lte=then)
