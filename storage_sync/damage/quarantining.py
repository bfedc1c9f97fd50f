"""Putting bytes aside that are not what their key says: out of everybody's way, kept for a look, swept a month later.

On the local side they lie flat in quarantine/, in the Space under `quarantine/<nanoseconds>/<the key they had>`: in the
order of time, so that the sweep reads no more of the list than is old.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time

from chatvista.foundation.problems import TransientError
from storage_sync import keys
from storage_sync.sides.contract import MissingObjectError, Side
from storage_sync.sides.local import LocalSide

QUARANTINE = "quarantine/"
_STAMP = re.compile(r"1[0-9]{18}")


def quarantine_key(key: str, *, at_ns: int) -> str:
    """Where an object that lay at `key` is put aside in the Space."""
    return keys.require_safe(f"{QUARANTINE}{at_ns}/{key}")


def put_aside_at(name: str) -> dt.datetime | None:
    """When something was put aside, by its name in quarantine (of a disk or the Space); None if it does not say."""
    in_space = name.removeprefix(QUARANTINE).partition("/")[0]
    on_disk = name.rpartition(".")[2]
    stamp = next((found for found in (in_space, on_disk) if _STAMP.fullmatch(found)), None)
    return None if stamp is None else dt.datetime.fromtimestamp(int(stamp) / 1e9, dt.UTC)


def is_key(name: str) -> bool:
    """Whether what lies there has a name that one of ours could be."""
    try:
        keys.require_safe(name)
    except ValueError:
        return False
    return True


def put_aside(*, side: Side, key: str) -> str | None:
    """Take what lies at a key away from it; the key it has now (None where a side has no such keys, or nothing lay).

    Cut in between it lies at both keys, never at none. Raises TransientError, PermanentError.
    """
    if isinstance(side, LocalSide):
        side.quarantine(key=key)
        return None
    before, aside = side.head(key=key), quarantine_key(key, at_ns=time.time_ns())
    with contextlib.suppress(MissingObjectError):
        side.copy(key=key, to=aside)
        after = side.head(key=aside)
        if before is None or after is None or after.size != before.size:
            raise TransientError("quarantine_failed", "The Space did not copy what was to be put aside.")
        side.delete(key=key)
        return aside
    return None
