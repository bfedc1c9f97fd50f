"""Doing what the policies say, one file at a time, each looked at again under its lock.

The list that a run begins with is only a hint: in the transaction of the deed the policy is locked and read again and
the file must still be due by it, so that a policy that was changed, a hold that was put or a restore meanwhile wins.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable

import structlog
from django.db import transaction

from storage_sync.models import RetentionPolicy
from storage_sync.querysets import StoredFileQuerySet
from storage_sync.retaining import archiving, purging, selecting

logger = structlog.get_logger(__name__)

AT_ONCE = 500
LONGEST_SECONDS = 45.0
# The brake on a policy that was set wrongly: a run begins no more purges than this, and the next is an hour away.
MOST_PURGES = 1_000
Deed = Callable[[RetentionPolicy, uuid.UUID], bool]


def apply(
    *,
    tenant_id: uuid.UUID | None = None,
    category: str | None = None,
    most_purges: int = MOST_PURGES,
    seconds: float = LONGEST_SECONDS,
) -> Counter[str]:
    """Archive and begin to purge what is due; how many of each.

    Ends when nothing more is due, when the time is over, or for purges at `most_purges`; what is left is as due for the
    next run. Several at once do no harm.
    """
    done: Counter[str] = Counter()
    until = time.monotonic() + seconds
    policies = selecting.policies_for(tenant_id=tenant_id, category=category)
    # Another begins every hour, so that a large tenant's backlog does not keep all others waiting.
    turn = int(time.time() // 3600) % max(1, len(policies))
    for policy in policies[turn:] + policies[:turn]:
        now = selecting.database_now()
        due = selecting.to_archive(policy=policy, at=now, tenant_id=tenant_id).order_by("stored_at")
        done["archived"] += _each(due, policy, _archive, until, most=None)
        due = selecting.to_purge(policy=policy, at=now, tenant_id=tenant_id).order_by("archived_at")
        done["purging"] += _each(due, policy, _purge, until, most=most_purges - done["purging"])
    if done.total():
        logger.info("retention_applied", **done)
    return done


def _each(due: StoredFileQuerySet, policy: RetentionPolicy, deed: Deed, until: float, *, most: int | None) -> int:
    done = 0
    while time.monotonic() < until and (most is None or done < most):
        room = AT_ONCE if most is None else min(AT_ONCE, most - done)
        found = list(due.values_list("pk", flat=True)[:room])
        before = done
        for file_id in found:
            if time.monotonic() > until:
                return done
            done += _safely(deed, policy, file_id)
        # What somebody else holds or changed stays in the list: without progress it is left to the next run.
        if done == before:
            break
    return done


def _safely(deed: Deed, policy: RetentionPolicy, file_id: uuid.UUID) -> bool:
    """One file whose owner cannot follow must not keep all younger ones for ever."""
    try:
        return deed(policy, file_id)
    except Exception:
        logger.exception("retention_failed", file=str(file_id), policy=str(policy.pk))
        return False


def _archive(policy: RetentionPolicy, file_id: uuid.UUID) -> bool:
    with transaction.atomic():
        current = _locked(policy)
        if current is None:
            return False
        due = selecting.to_archive(policy=current, at=selecting.database_now()).filter(pk=file_id)
        file = due.select_for_update(skip_locked=True).first()
        return file is not None and archiving.archive(file, policy_id=current.pk)


def _purge(policy: RetentionPolicy, file_id: uuid.UUID) -> bool:
    with transaction.atomic():
        current = _locked(policy)
        if current is None:
            return False
        due = selecting.to_purge(policy=current, at=selecting.database_now()).filter(pk=file_id)
        file = due.select_for_update(skip_locked=True).first()
        reason = f"Archived for {current.purge_after_days} days, by the retention policy for {current.category}."
        return file is not None and purging.begin(file_id=file.pk, reason=reason, policy_id=current.pk)


def _locked(policy: RetentionPolicy) -> RetentionPolicy | None:
    """The policy as it is now, and as it stays until this transaction ends; None when it was removed."""
    return RetentionPolicy.objects.select_for_update(no_key=True).filter(pk=policy.pk).first()
