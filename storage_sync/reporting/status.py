"""Where the storeroom stands, computed from the rows: nothing in here is remembered, estimated or constant.

What a metrics endpoint is to tell is here, too; the verdicts of inspections are in their rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Sum
from django.db.models.functions import Greatest

from chatvista.foundation.leases import in_seconds
from storage_sync.models import Copy, Inspection, InspectionKind, Node, StoredFile, UnknownObject, Upload, UploadState
from storage_sync.querysets import CopyQuerySet
from storage_sync.reporting import probing
from storage_sync.vocabulary import CopyState, FileState, SideName

# One pass over the copies, in which the files are met by a hash of both tables: 100,000 files in a tenth of a second.
_SIDES = """
    SELECT c.side, f.category,
           count(*) FILTER (WHERE c.state = 'present'),
           coalesce(sum(coalesce(f.sealed_size, f.size)) FILTER (WHERE c.state = 'present'), 0)::bigint,
           count(*) FILTER (WHERE c.state = 'pending'),
           count(*) FILTER (WHERE c.state = 'missing'),
           count(*) FILTER (WHERE c.state = 'corrupt'),
           count(*) FILTER (WHERE c.state <> 'present' AND c.next_attempt_at IS NOT NULL AND f.state <> 'lost')
    FROM storage_sync_copy c JOIN storage_sync_storedfile f ON f.id = c.file_id
    WHERE f.state IN ('stored', 'archived', 'lost')
    GROUP BY c.side, f.category ORDER BY c.side, f.category
"""
READABLE = [FileState.STORED, FileState.ARCHIVED]
ERRORS = 10


@dataclass(frozen=True, slots=True)
class SideLine:
    """Copies of one side and category. `to_be_made` are those of them that somebody is to make."""

    side: str
    category: str
    files: int
    bytes: int
    pending: int
    missing: int
    corrupt: int
    to_be_made: int


def status() -> dict[str, Any]:
    """Everything, as it is shown to operators. Asks both sides whether they answer, for at most two seconds."""
    now = _database_time()
    return {
        "at": now,
        "local": probing.local_state(),
        "cloud": probing.cloud_state(),
        "files": files_by_state(),
        "sides": [
            {
                "side": side,
                **totals(lines),
                "oldest_pending_seconds": _age(oldest_pending(side=side), now),
                "oldest_unverified_seconds": _age(oldest_unverified(side=side), now),
                "categories": [told(line) for line in lines],
            }
            for side, lines in by_side(sides()).items()
        ],
        "uploads": uploads(),
        "nodes": nodes(now),
        "unknown_objects": unknown_objects(),
        "inspections": last_inspections(),
        "errors": errors(),
    }


def sides() -> list[SideLine]:
    """Copies by side and category."""
    with connection.cursor() as cursor:
        cursor.execute(_SIDES)
        return [SideLine(*row) for row in cursor.fetchall()]


def files_by_state() -> dict[str, int]:
    """Files by the state of their life; reservations that came to nothing are none."""
    counted = StoredFile.objects.exclude(state=FileState.ABANDONED).order_by().values("state")
    return {row["state"]: row["files"] for row in counted.annotate(files=Count("pk")).order_by("state")}


def to_be_made() -> CopyQuerySet:
    """Copies that somebody is to make."""
    due = Copy.objects.exclude(state=CopyState.PRESENT).filter(next_attempt_at__isnull=False)
    return due.filter(file__state__in=READABLE)


def oldest_pending(*, side: str) -> dt.datetime | None:
    """Since when the copy that waits longest to be made may not have been there: its birth, or its last proof."""
    since = Greatest("created_at", "verified_at")  # which passes by what is NULL
    first: dt.datetime | None = to_be_made().filter(side=side).aggregate(at=Min(since))["at"]
    return first


def oldest_unverified(*, side: str) -> dt.datetime | None:
    """When the copy that was proven longest ago was proven."""
    present = Copy.objects.present().filter(side=side, file__state__in=READABLE)
    if side == SideName.LOCAL:
        present = present.exclude(node__in=Node.objects.filter(died_at__isnull=False).values("name"))
    return present.order_by("verified_at").values_list("verified_at", flat=True).first()


def uploads() -> dict[str, int]:
    """Uploads that are not over, and the bytes that have arrived of them."""
    going_on = Upload.objects.filter(state__in=[UploadState.OPEN, UploadState.FINISHING])
    counted = going_on.aggregate(open=Count("pk"), bytes=Sum("offset", default=0), announced=Sum("size", default=0))
    return {"open": counted["open"], "bytes": int(counted["bytes"]), "announced_bytes": int(counted["announced"])}


def nodes(now: dt.datetime) -> list[dict[str, Any]]:
    """The machines with a disk, the living ones first."""
    silent = set(
        Node.objects.filter(heartbeat_at__lte=in_seconds(-settings.NODE_DEAD_SECONDS)).values_list("pk", flat=True)
    )
    return [
        {
            "node": node.name,
            "alive": node.died_at is None and node.pk not in silent,
            "heartbeat_seconds": _age(node.heartbeat_at, now),
            "durable": node.is_durable,
            "free_bytes": node.free_bytes,
            "total_bytes": node.total_bytes,
        }
        for node in Node.objects.order_by("-died_at", "name")
    ]


def unknown_objects() -> dict[str, int]:
    """Objects that no row explains: waiting, and put aside."""
    return {
        "waiting": UnknownObject.objects.filter(quarantined_at=None).count(),
        "quarantined": UnknownObject.objects.filter(quarantined_at__isnull=False).count(),
    }


def last_inspections() -> list[dict[str, Any]]:
    """The latest inspections of each kind, side and node; one that a guard stopped says so here."""
    latest: dict[tuple[str, str, str], Inspection] = {}
    for kind in InspectionKind.values:
        for inspection in Inspection.objects.filter(kind=kind).order_by("-created_at")[:50]:
            latest.setdefault((kind, inspection.node, "+".join(sorted(inspection.verdicts))), inspection)
    return [
        {
            "id": inspection.pk,
            "kind": kind,
            "node": node,
            "began_at": inspection.created_at,
            "finished_at": inspection.finished_at,
            "dry_run": inspection.is_dry_run,
            "files": inspection.files,
            "bytes_read": inspection.bytes_read,
            "verdicts": inspection.verdicts,
            "aborted": inspection.aborted or None,
        }
        for (kind, node, _), inspection in latest.items()
    ]


def errors() -> list[dict[str, Any]]:
    """Why copies are not made yet, most frequent first."""
    counted = to_be_made().exclude(error="").order_by().values("error").annotate(copies=Count("pk"))
    return [
        {"error": row["error"], "copies": row["copies"]}
        for row in counted.order_by("-copies", "error")[:ERRORS]
    ]  # fmt: skip


def by_side(lines: list[SideLine]) -> dict[str, list[SideLine]]:
    """The lines of each side, also of one that has none; the Space only where there is one."""
    wanted = [SideName.LOCAL, *([SideName.CLOUD] if settings.SPACES_ENDPOINT else [])]
    found: dict[str, list[SideLine]] = {side.value: [] for side in wanted}
    for line in lines:
        found.setdefault(line.side, []).append(line)
    return found


_COUNTED = ("files", "bytes", "pending", "missing", "corrupt", "to_be_made")


def totals(lines: list[SideLine]) -> dict[str, int]:
    """The sums of some lines."""
    return {name: sum(getattr(line, name) for line in lines) for name in _COUNTED}


def told(line: SideLine) -> dict[str, Any]:
    """One line as a mapping."""
    return {"category": line.category, **{name: getattr(line, name) for name in _COUNTED}}


def seconds_since(at: dt.datetime | None) -> float | None:
    """How long ago that was, by the database's clock; None for never."""
    return None if at is None else _age(at, _database_time())


def _age(at: dt.datetime | None, now: dt.datetime) -> float | None:
    return None if at is None else round(max(0.0, (now - at).total_seconds()), 3)


def _database_time() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [[now]] = cursor.fetchall()
    found: dt.datetime = now
    return found
