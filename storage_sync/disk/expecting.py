"""Noting that bytes are about to be laid on this disk, before they are: who is killed in between leaves no stranger.

Without the note a cache would hold a verified file that its row calls missing, until a reconciliation came by. With it
the sync engine looks, finds the right bytes at their key, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.models.functions import Now

from chatvista.foundation.leases import in_seconds
from storage_sync.models import Copy, StoredFile
from storage_sync.querysets import CopyQuerySet
from storage_sync.vocabulary import CopyState, SideName

LOOKED_AT_AFTER_SECONDS = 120


@contextmanager
def expected_here(file: StoredFile) -> Iterator[None]:
    """While the body brings the file to this disk. One that fails takes the note back: nobody has to make that copy.

    The caller says `present` when the body has succeeded. What was due already, or is present, is left as it is.
    """
    place = Copy.objects.filter(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE)
    Copy.objects.bulk_create(
        [Copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.MISSING)],
        ignore_conflicts=True,
    )
    noted = _absent(place).filter(next_attempt_at=None).update(
        next_attempt_at=in_seconds(LOOKED_AT_AFTER_SECONDS), updated_at=Now()
    )  # fmt: skip
    try:
        yield
    except BaseException:
        if noted:
            _absent(place).filter(lease_token=None).update(next_attempt_at=None, updated_at=Now())
        raise


def _absent(place: CopyQuerySet) -> CopyQuerySet:
    return place.exclude(state=CopyState.PRESENT)
