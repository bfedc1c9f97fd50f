"""A small signed object on every side: where it is not seen, the side is not the one we know.

An unmounted volume, another bucket, another installation's ledger: each would make every file look missing or unknown.
It lies outside the prefixes of files, at the same key on every side, and names a token that the ledger keeps.
"""

from __future__ import annotations

import io
import uuid

import structlog
from django.db import transaction
from django.db.models.functions import Now

from chatvista.foundation import signatures
from chatvista.foundation.problems import Problem
from storage_sync.inspecting.guards import CANARY, GuardError
from storage_sync.inspecting.places import Place
from storage_sync.models import Canary, Node
from storage_sync.sides.contract import MissingObjectError

logger = structlog.get_logger(__name__)

KEY = "canary/canary.txt"
PURPOSE = "canary"
FOR_EVER = 100 * 365 * 86_400
LARGEST = 4096


def is_singing(place: Place) -> bool:
    """Whether the canary is seen, read and right; False when there was never one, or it was never planted entirely.

    Raises GuardError when there is trouble.
    """
    row = Canary.objects.filter(side=place.name, node=place.node).first()
    if row is not None and (row.planted_at is None or _disk_was_replaced(place, row)):
        return False
    text = _read(place)
    if row is None:
        if text is None:
            return False
        raise GuardError(
            CANARY,
            f"{place} has a canary that this ledger never put there: it belongs to another installation, or an older "
            "ledger was restored.",
        )
    if text is None:
        raise GuardError(CANARY, f"The canary {KEY} is not on {place}: a volume not mounted, or another Space?")
    if _token_of(text) != row.token:
        raise GuardError(CANARY, f"The canary on {place} is not ours, or was signed with another SIGNING_KEY.")
    if place.is_cloud and all(found.key != KEY for found in place.side.page(prefix="canary/").found):
        raise GuardError(CANARY, f"{place} has the canary {KEY} but does not list it.")
    return True


def plant(place: Place) -> None:
    """Write a canary where there was none, or anew.

    The row comes first, and says that nothing is planted yet: whoever is killed from then on is followed by a run that
    plants again, whatever lies there. One at a time: of two, the row of one and the object of the other would be left.
    """
    _intend(place)
    with transaction.atomic():
        # Held while a few bytes are written, so that nobody else deletes or writes them meanwhile.
        row = Canary.objects.select_for_update().get(side=place.name, node=place.node)
        if row.planted_at is not None:
            return  # by somebody who began as we did, and was first
        claims = {"token": str(row.token)}
        text = signatures.sign(purpose=PURPOSE, claims=claims, seconds=FOR_EVER).encode()
        place.side.delete(key=KEY)
        place.side.put(key=KEY, source=io.BytesIO(text), size=len(text), content_type="text/plain")
        Canary.objects.filter(pk=row.pk).update(planted_at=Now())
    logger.info("canary_planted", place=str(place))


def _intend(place: Place) -> None:
    """Write down, by itself, which token is to be planted on which disk."""
    Canary.objects.update_or_create(
        side=place.name,
        node=place.node,
        defaults={"token": uuid.uuid4(), "disk_id": _disk_id(place), "planted_at": None},
    )


def _disk_id(place: Place) -> uuid.UUID | None:
    return None if place.is_cloud else Node.objects.filter(name=place.node).values_list("disk_id", flat=True).first()


def _disk_was_replaced(place: Place, row: Canary) -> bool:
    """Whether this node is known to have got another disk since: its heartbeat has told the ledger so."""
    now = _disk_id(place)
    return row.disk_id is not None and now is not None and now != row.disk_id


def _read(place: Place) -> bytes | None:
    try:
        return b"".join(place.side.read(key=KEY, length=LARGEST))
    except (MissingObjectError, NotADirectoryError):
        return None


def _token_of(text: bytes) -> uuid.UUID | None:
    try:
        claims = signatures.verify(purpose=PURPOSE, token=text.decode())
        return uuid.UUID(claims["token"])
    except (Problem, ValueError, KeyError, TypeError):
        return None
