"""Removing what was put aside of keys whose bytes nobody may read any more: for good, and before its month is over."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict

from chatvista.foundation.problems import TransientError
from storage_sync import keys
from storage_sync.damage.quarantining import QUARANTINE
from storage_sync.sides.contract import Side
from storage_sync.sides.local import LocalSide

# As long as those who ask have for a whole round.
LONGEST_SECONDS = 45.0


class PutAside:
    """What lies in the quarantine of one side. That of the Space is listed once, when it is asked for first.

    Until the end of the list is known nothing counts as forgotten, and where it takes too long another run begins anew.
    """

    def __init__(self, side: Side) -> None:
        self._side = side
        self._by_key = defaultdict[str, list[str]](list)
        self._after: str | None = None
        self._is_whole = False
        self._until = time.monotonic() + LONGEST_SECONDS

    def forget(self, key: str) -> None:
        """Remove whatever was taken away from this key. Raises TransientError, PermanentError, OSError.

        TransientError `quarantine_not_listed`, too, when there was no time to know all of it.
        """
        if isinstance(self._side, LocalSide):
            for path in (self._side.root / QUARANTINE).glob(f"{key.replace('/', '_')}.*"):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
            return
        self._list()
        for name in self._by_key.get(key, []):
            self._side.delete(key=name)

    def _list(self) -> None:
        while not self._is_whole:
            if time.monotonic() > self._until:
                raise TransientError("quarantine_not_listed", "There was no time to list all that was put aside.")
            page = self._side.page(prefix=QUARANTINE, after=self._after)
            for one in page.found:
                # quarantine/<when>/<the key it had>; in the archive the bytes are those of the live key, too.
                key = one.key.removeprefix(QUARANTINE).partition("/")[2]
                for name in {key, keys.live_key(key)}:
                    self._by_key[name].append(one.key)
            self._after, self._is_whole = page.after, page.after is None
