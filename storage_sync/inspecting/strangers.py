"""Objects that no row explains: noted, left alone, and put aside when they are old and were seen more than once.

Never deleted at once: whoever wrote them may still write the row, or an older ledger may have been restored.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.leases import in_seconds
from storage_sync import keys
from storage_sync.damage.quarantining import is_key, put_aside
from storage_sync.inspecting.places import Place
from storage_sync.inspecting.verdicts import Verdict
from storage_sync.models import Copy, Remnant, StoredFile, UnknownObject, Upload, UploadState

logger = structlog.get_logger(__name__)

ALONE_SECONDS, SIGHTINGS = 7 * 86_400, 2


def explained(*, place: Place, names: Collection[str]) -> set[str]:
    """Which of these keys some row refers to: a file's key or second key, an upload's key or tail, a noted remnant."""
    told = set(StoredFile.objects.filter(key__in=names).values_list("key", flat=True))
    ids = {found for name in names if (found := keys.file_id_of(name)) is not None}
    moving = StoredFile.objects.filter(pk__in=ids)
    told |= set(moving.filter(other_key__in=names).values_list("other_key", flat=True))
    # A copy that follows the move of its file still lies under the other name.
    following = Copy.objects.present().filter(side=place.name, node=place.node, next_attempt_at__isnull=False)
    told |= {keys.other_name(key) for key in moving.filter(copies__in=following).values_list("key", flat=True)}
    going_on = Upload.objects.filter(state__in=[UploadState.OPEN, UploadState.FINISHING])
    for key, tail in going_on.filter(Q(key__in=names) | Q(tail_key__in=names)).values_list("key", "tail_key"):
        told |= {key, tail}
    remnants = Remnant.objects.filter(side=place.name, node=place.node, key__in=names)
    told |= set(remnants.values_list("key", flat=True))
    return told & set(names)


def meet(*, place: Place, key: str, size: int, is_dry_run: bool) -> Verdict:
    """Look once more whether anything explains the object; note it, or put it aside when its time has come."""
    if explained(place=place, names=[key]):
        return Verdict.EXPLAINED
    if not is_key(key):
        # No name that we ever gave: somebody else's, and for an operator to judge.
        logger.info("foreign_object", place=str(place), key=key[:200], size=size)
        return Verdict.FOREIGN
    noted = UnknownObject.objects.filter(side=place.name, node=place.node, key=key)
    ripe = noted.filter(
        size=size, quarantined_at=None, sightings__gte=SIGHTINGS, first_seen_at__lt=in_seconds(-ALONE_SECONDS)
    )
    if is_dry_run:
        return Verdict.QUARANTINED if ripe.exists() else Verdict.UNKNOWN
    _note(place, key, size)
    if not ripe.exists():
        return Verdict.UNKNOWN
    found = place.side.head(key=key)
    if found is None or found.size != size or explained(place=place, names=[key]):
        return Verdict.CHANGED
    aside = put_aside(side=place.side, key=key)
    with transaction.atomic():
        noted.update(quarantined_at=Now())
        audit.record(
            action="storage.object_quarantined",
            target_kind="object",
            target_id=keys.file_id_of(key),
            side=str(place.name),
            node=place.node,
            key=key,
            now_at=aside or "",
            size=size,
        )
    logger.warning("unknown_object_quarantined", place=str(place), key=key, now_at=aside, size=size)
    return Verdict.QUARANTINED


def forget_vanished(*, place: Place, since: datetime) -> int:
    """Forget the unknown objects that a complete listing, begun at `since`, did not show any more; how many."""
    gone = UnknownObject.objects.filter(side=place.name, node=place.node, quarantined_at=None)
    return gone.filter(last_seen_at__lt=since).delete()[0]


def _note(place: Place, key: str, size: int) -> None:
    noted = UnknownObject.objects.filter(side=place.name, node=place.node, key=key)
    same = noted.filter(size=size, quarantined_at=None)
    if not same.update(sightings=F("sightings") + 1, last_seen_at=Now()):
        # New, or another object than the one that was seen or put aside before: its time begins now.
        UnknownObject.objects.update_or_create(
            side=place.name,
            node=place.node,
            key=key,
            defaults={
                "size": size,
                "sightings": 1,
                "first_seen_at": Now(),
                "last_seen_at": Now(),
                "quarantined_at": None,
            },
        )
