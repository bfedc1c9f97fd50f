"""The row of one inspection: begun by the database's clock, and over whatever happens."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db.models.functions import Now

from chatvista.foundation.records import uuid7
from storage_sync import waking
from storage_sync.inspecting.verdicts import Verdict
from storage_sync.models import Inspection, InspectionKind


def begin(
    *,
    kind: InspectionKind,
    is_dry_run: bool = False,
    is_partial: bool = False,
    inspection_id: uuid.UUID | None = None,
) -> Inspection:
    """A row; its `updated_at` is when it began, by the database's clock. One of that id begins anew."""
    inspection, _ = Inspection.objects.update_or_create(
        pk=inspection_id or uuid7(),
        defaults={
            "kind": kind,
            "node": settings.STORAGE_NODE,
            "is_dry_run": is_dry_run,
            "is_partial": is_partial,
            "finished_at": None,
            "aborted": "",
            "verdicts": {},
            "files": 0,
            "bytes_read": 0,
        },
    )
    Inspection.objects.filter(pk=inspection.pk).update(updated_at=Now())
    inspection.refresh_from_db()
    return inspection


def finish(inspection: Inspection, *, aborted: str = "") -> None:
    """Write down what came of it."""
    Inspection.objects.filter(pk=inspection.pk).update(
        finished_at=Now(),
        files=inspection.files,
        bytes_read=inspection.bytes_read,
        verdicts=inspection.verdicts,
        aborted=aborted[:1000],
        updated_at=Now(),
    )
    inspection.refresh_from_db()


def written(counts: Counter[str]) -> dict[str, int]:
    """Counts by verdict as they are kept, in order and without empty ones."""
    return {str(name): counts[name] for name in sorted(counts) if counts[name]}


def differences_in(verdicts: Mapping[str, Mapping[str, int]]) -> int:
    """The number of differences among the verdicts of an inspection, `{side: {verdict: count}}`."""
    return sum(
        count for counts in verdicts.values() for name, count in counts.items() if Verdict(name).is_difference
    )  # fmt: skip


def wake_engine_after(verdicts: Iterable[str]) -> None:
    """Have the copies made that became due."""
    if {Verdict.MISSING, Verdict.DAMAGED, Verdict.FOUND_AGAIN} & set(verdicts):
        waking.wake()
