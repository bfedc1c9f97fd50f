"""Removing what was put aside of keys whose bytes nobody may read any more: for good, and before its month is over."""

from __future__ import annotations

import contextlib
from collections import defaultdict

from storage_sync import keys
from storage_sync.damage.quarantining import QUARANTINE
from storage_sync.sides.contract import Side
from storage_sync.sides.local import LocalSide


class PutAside:
    """What lies in the quarantine of one side. That of the Space is listed once, when it is asked for first."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._by_key: dict[str, list[str]] | None = None

    def forget(self, key: str) -> None:
        """Remove whatever was taken away from this key. Raises TransientError, PermanentError, OSError."""
        if isinstance(self._side, LocalSide):
            for path in (self._side.root / QUARANTINE).glob(f"{key.replace('/', '_')}.*"):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
            return
        if self._by_key is None:
            self._by_key = _listed(self._side)
        for name in self._by_key.get(key, []):
            self._side.delete(key=name)


def _listed(side: Side) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    after: str | None = None
    while True:
        page = side.page(prefix=QUARANTINE, after=after)
        for one in page.found:
            # quarantine/<when>/<the key it had>; in the archive the bytes are those of the live key, too.
            key = one.key.removeprefix(QUARANTINE).partition("/")[2]
            for name in {key, keys.live_key(key)}:
                found[name].append(one.key)
        after = page.after
        if after is None:
            return found
