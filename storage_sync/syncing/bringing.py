"""Making the copy on this disk: of what lies here already under another name, or of what the Space has."""

from __future__ import annotations

from django.conf import settings

from chatvista.foundation.problems import Problem
from storage_sync.damage import healing
from storage_sync.disk import fetching, verifying
from storage_sync.disk.locking import BusyError
from storage_sync.giving.streaming import DamagedError
from storage_sync.models import Copy
from storage_sync.retaining import following
from storage_sync.sides.bulk import BulkSide
from storage_sync.sides.contract import MissingObjectError
from storage_sync.sides.local import local
from storage_sync.syncing.outcomes import NO_SOURCE, Outcome, Verdict
from storage_sync.vocabulary import SideName

DISK_FULL = "disk_full"
DISK_FULL_PAUSE_SECONDS = 120.0


def make(*, copy: Copy, side: BulkSide | None) -> Outcome:
    """Have the file on this disk, verified. Raises WorkError, OSError."""
    file = copy.file
    local().lay_out()
    following.bring_here(file)
    if side is None:
        if verifying.holds(file=file, path=local().path(file.key)):
            return Outcome(copy, Verdict.FOUND)
        return Outcome(copy, Verdict.FAILED, code=NO_SOURCE, detail="There is no Space to fetch it from.")
    try:
        # Wrong bytes here stay until the right ones have come: they may be the best there is.
        was_read = fetching.fetch(file=file, side=side)
    except MissingObjectError:
        return _without_source(copy)
    except DamagedError as error:
        return _without_source(copy, condemned=(side, error.etag))
    except BusyError:
        return Outcome(copy, Verdict.FAILED, code="busy", detail="Another process of this node fetches it.")
    except Problem:
        return disk_is_full(copy)
    if not was_read:
        return Outcome(copy, Verdict.FOUND)
    return Outcome(copy, Verdict.MADE, moved_bytes=file.held_size)


def disk_is_full(copy: Copy) -> Outcome:
    """No room: what else is due will not fit either, and waits as long."""
    detail = f"The disk of {settings.STORAGE_NODE} has no room for it."
    return Outcome(copy, Verdict.FAILED, code=DISK_FULL, detail=detail, retry_after=DISK_FULL_PAUSE_SECONDS)


def _without_source(copy: Copy, *, condemned: tuple[BulkSide, str] | None = None) -> Outcome:
    file = copy.file
    # Moved meanwhile, its old key says nothing; and what is known to be missing is not made due at every look.
    if Copy.objects.present().filter(file=file, side=SideName.CLOUD, file__key=file.key).exists():
        if condemned is None:
            healing.note_cloud_missing(file)
        else:
            healing.condemn_in_cloud(file=file, side=condemned[0], etag=condemned[1])
    detail = f"The Space does not have the right bytes, and {settings.STORAGE_NODE} has none."
    return Outcome(copy, Verdict.FAILED, code=NO_SOURCE, detail=detail, retry_after=30)
