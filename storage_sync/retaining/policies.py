"""Setting, changing and removing retention policies. What they then do is in `applying`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from django.db import IntegrityError, transaction

from chatvista.foundation import audit
from chatvista.foundation.problems import Problem
from storage_sync.models import RetentionPolicy
from storage_sync.models.retention import LONGEST_DAYS

Check = Callable[[RetentionPolicy], None]
"""Called with the locked row before anything changes; raises to refuse (a stale ETag)."""
Days = Mapping[str, int | None]
"""`archive_after_days`, `purge_after_days`; what is left out stays as it is."""


def set_policy(
    *, tenant_id: uuid.UUID | None, category: str, days: Days, by: uuid.UUID | None = None
) -> RetentionPolicy:
    """The first policy of a tenant (None for everybody) for a category. Problem 409 `policy_exists`, 400."""
    policy = RetentionPolicy(tenant_id=tenant_id, category=category)
    _take(policy, days)
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
            _tell("retention_policy.created", policy, by)
    except IntegrityError as error:
        if not RetentionPolicy.objects.filter(tenant_id=tenant_id, category=category).exists():
            raise
        detail = f"There is a policy for {category} already; change that one."
        raise Problem("policy_exists", detail, status=409) from error
    return policy


def change_policy(
    *, policy_id: uuid.UUID, days: Days, check: Check = lambda policy: None, by: uuid.UUID | None = None
) -> RetentionPolicy:
    """Give a policy other days. A run that is under way sees it at its next file. Problem 404, 400."""
    with transaction.atomic():
        policy = _locked(policy_id)
        check(policy)
        before = (policy.archive_after_days, policy.purge_after_days)
        _take(policy, days)
        if before != (policy.archive_after_days, policy.purge_after_days):
            policy.revision += 1
            policy.save()
            _tell("retention_policy.changed", policy, by)
    return policy


def remove_policy(
    *, policy_id: uuid.UUID, check: Check = lambda policy: None, by: uuid.UUID | None = None
) -> None:  # fmt: skip
    """Remove a policy; the general one for its category is valid for the tenant then. Problem 404."""
    with transaction.atomic():
        policy = _locked(policy_id)
        check(policy)
        _tell("retention_policy.removed", policy, by)
        policy.delete()


def _locked(policy_id: uuid.UUID) -> RetentionPolicy:
    policy = RetentionPolicy.objects.select_for_update().filter(pk=policy_id).first()
    if policy is None:
        raise Problem("not_found", "There is no such policy.", status=404)
    return policy


def _take(policy: RetentionPolicy, days: Days) -> None:
    for name in ("archive_after_days", "purge_after_days"):
        value = days.get(name, getattr(policy, name))
        if value is not None and not 1 <= value <= LONGEST_DAYS:
            sentence = f"Give a number of days from 1 to {LONGEST_DAYS}, or null for never."
            raise Problem("validation_failed", sentence, fields={name: [sentence]})
        setattr(policy, name, value)
    if policy.archive_after_days is None and policy.purge_after_days is None:
        sentence = "Give archive_after_days or purge_after_days; remove the policy to keep everything."
        raise Problem("validation_failed", sentence, fields={"archive_after_days": [sentence]})


def _tell(action: str, policy: RetentionPolicy, by: uuid.UUID | None) -> None:
    audit.record(
        action=action,
        target_kind="retention_policy",
        target_id=policy.pk,
        actor=by,
        tenant_id=policy.tenant_id,
        category=policy.category,
        archive_after_days=policy.archive_after_days,
        purge_after_days=policy.purge_after_days,
    )
