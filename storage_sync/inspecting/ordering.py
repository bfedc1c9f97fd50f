"""When inspections happen: by themselves, on every node and once for the Space, and when an operator asks.

What happens by itself is asked for more often than it is due, and looks at its last inspection: so a run that was
missed, killed or stopped by a guard costs an hour, not a day.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings

from chatvista.foundation import audit, working
from chatvista.foundation.leases import in_seconds
from chatvista.foundation.models import Job
from chatvista.foundation.records import uuid7
from storage_sync.inspecting.reconciling import Order, reconcile
from storage_sync.inspecting.scrubbing import hourly, scrub
from storage_sync.models import Inspection, InspectionKind
from storage_sync.vocabulary import SideName

RECONCILIATION = "reconciliation"
NO_TENANT = uuid.UUID(int=0)
"""The storeroom's own work is nobody's in particular."""
# A little less than a day, so that it does not creep around the clock.
DAILY_SECONDS = 23.5 * 3600


def inspect_disk() -> None:
    """This node's own disk, every hour: a slice of its bytes, and once a day its list. On every node."""
    _inspect(SideName.LOCAL)


def inspect_space() -> None:
    """The same for the Space. Once for all nodes."""
    if settings.SPACES_ENDPOINT:
        _inspect(SideName.CLOUD)


def order_reconciliation(*, order: Order, by: uuid.UUID | None) -> Job:
    """Have a worker reconcile; the inspection has the id of the job's subject. In the caller's transaction."""
    job = working.queue_job(
        kind=RECONCILIATION,
        tenant_id=NO_TENANT,
        subject_id=uuid7(),
        params={
            "sides": sorted(order.sides) if order.sides is not None else None,
            "categories": sorted(order.categories) if order.categories is not None else None,
            "is_dry_run": order.is_dry_run,
            "forced": sorted(order.forced),
        },
    )
    audit.record(
        action="storage.reconciliation_ordered", target_kind="job", target_id=job.pk, actor=by, **job.params
    )  # fmt: skip
    return job


def run_ordered(work: working.Work) -> None:
    """What a worker does with such a job."""
    params: dict[str, Any] = work.job.params
    sides = None if params["sides"] is None else [SideName(side) for side in params["sides"]]
    order = Order(
        sides=sides, categories=params["categories"], is_dry_run=params["is_dry_run"], forced=params["forced"]
    )

    def follow(keys: int) -> None:
        work.progress(0.0)

    work.enter("reconciling")
    reconcile(order, inspection_id=work.job.subject_id, progress=follow)


def may_follow(user: Any, job: Job) -> Any:
    """Operators follow and steer the storeroom's own work, others do not see it."""
    return "write" if user.is_staff else "none"


def _inspect(side: SideName) -> None:
    if not _is_reconciled(side):
        reconcile(Order(sides=[side]))
    scrub(hourly([side]))


def _is_reconciled(side: SideName) -> bool:
    done = Inspection.objects.filter(
        kind=InspectionKind.RECONCILIATION,
        is_dry_run=False,
        is_partial=False,
        aborted="",
        created_at__gt=in_seconds(-DAILY_SECONDS),
        verdicts__has_key=side.value,
    )
    if side == SideName.LOCAL:
        done = done.filter(node=settings.STORAGE_NODE)
    return done.exists()
