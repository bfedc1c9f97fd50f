"""Removing what lies at keys that no file has: plaintext of what was sealed since, and what a killed writer left.

Every node calls `remove_due` for its own disk and for the Space. What people may no longer read is not put aside but
deleted, and so is what was put aside of it earlier.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import WorkError
from storage_sync.damage.forgetting import PutAside
from storage_sync.models import Remnant, StoredFile
from storage_sync.sides.cloud import cloud
from storage_sync.sides.local import local
from storage_sync.vocabulary import SideName

logger = structlog.get_logger(__name__)

AT_ONCE = 200
LONGEST_SECONDS = 45.0
# A writer that has not been heard of for this long is dead; longer than any request of his to the Space may last.
WRITER_SECONDS = 600
# What was on its way to a place when it was emptied has arrived by then.
LATE_SECONDS = 900
LOOK_AGAIN_SECONDS = 60


def leave(*, keys: Iterable[str], nodes: Iterable[str]) -> None:
    """Note, in the caller's transaction, that these keys are no file's any more: in the Space and on these nodes."""
    places = [(SideName.CLOUD, ""), *((SideName.LOCAL, node) for node in nodes)]
    Remnant.objects.bulk_create(
        [
            Remnant(side=side, node=node, key=key, due_at=Now(), until=in_seconds(LATE_SECONDS))
            for key in keys
            for side, node in places
        ],
        ignore_conflicts=True,
    )


def intend(*, key: str, writer: uuid.UUID) -> None:
    """Note that somebody is about to write at a new key on this node and in the Space."""
    for side, node in ((SideName.CLOUD, ""), (SideName.LOCAL, settings.STORAGE_NODE)):
        Remnant.objects.create(
            side=side, node=node, key=key, writer=writer,
            due_at=in_seconds(WRITER_SECONDS), until=in_seconds(WRITER_SECONDS + LATE_SECONDS),
        )  # fmt: skip


def still_writing(*, key: str, writer: uuid.UUID) -> None:
    """Push the time back at which the writer is taken for dead. Raises LeaseLostError when he was already."""
    ours = Remnant.objects.filter(key=key, writer=writer)
    if ours.update(due_at=in_seconds(WRITER_SECONDS), until=in_seconds(WRITER_SECONDS + LATE_SECONDS)) != 2:
        raise LeaseLostError(f"what was written at {key} is being removed")


def keep(*, key: str, writer: uuid.UUID) -> None:
    """Take the note back, in the transaction that gives a file this key. Raises LeaseLostError as above."""
    if Remnant.objects.filter(key=key, writer=writer).delete()[0] != 2:
        raise LeaseLostError(f"what was written at {key} is being removed")


def give_up(*, key: str, writer: uuid.UUID) -> None:
    """What was written at a new key is wanted no more."""
    Remnant.objects.filter(key=key, writer=writer).update(
        writer=None, due_at=Now(), until=in_seconds(LATE_SECONDS)
    )  # fmt: skip


def remove_due() -> int:
    """Empty the places of this node and of the Space whose time has come; how many were emptied."""
    until = time.monotonic() + LONGEST_SECONDS
    here = Q(side=SideName.LOCAL, node=settings.STORAGE_NODE) | Q(side=SideName.CLOUD)
    removed, aside = 0, dict[str, PutAside]()
    for remnant in Remnant.objects.filter(here, due_at__lte=Now()).order_by("due_at")[:AT_ONCE]:
        if time.monotonic() > until:
            break
        # Taken first: a writer who was only slow finds his note changed, and does not give a file what goes now.
        as_seen = Remnant.objects.filter(pk=remnant.pk, writer=remnant.writer, due_at=remnant.due_at)
        if not as_seen.update(writer=None, due_at=in_seconds(LOOK_AGAIN_SECONDS)):
            continue
        try:
            removed += _empty(remnant, aside)
        except (WorkError, OSError) as error:
            logger.warning("remnant_stays_for_now", side=remnant.side, key=remnant.key, error=str(error))
            continue
        Remnant.objects.filter(pk=remnant.pk, until__lte=Now()).delete()
    return removed


def _empty(remnant: Remnant, aside: dict[str, PutAside]) -> bool:
    """`aside` is what a run knows of the quarantine of each side: that of the Space is listed once in it."""
    if StoredFile.objects.filter(Q(key=remnant.key) | Q(other_key=remnant.key)).exists():
        # Cannot be, since keys are never used again; were it so, a file would be lost by it.
        logger.error("remnant_is_a_file", key=remnant.key)
        return False
    side = cloud() if remnant.side == SideName.CLOUD else local()
    if side is None:
        return False
    side.delete(key=remnant.key)
    aside.setdefault(remnant.side, PutAside(side)).forget(remnant.key)
    return True
