"""How much goes on at once: transfers by how well the Space bears them, bytes in memory by a fixed budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# After this many failures in a row with nothing between them, asking on only costs time.
HOPELESS_AFTER = 12
EASE_SECONDS = 1.0


class Pace:
    """Lets so many threads transfer at a time; halved by a Space that is busy, and won back one by one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._under_way = 0
        self._eased_at = -EASE_SECONDS
        self._failures = 0
        self._changed = threading.Condition()

    @property
    def allowed(self) -> int:
        """Transfers at a time, now."""
        with self._changed:
            return max(1, int(self._allowed))

    @property
    def is_hopeless(self) -> bool:
        """Whether the Space has only failed for a while."""
        with self._changed:
            return self._failures >= HOPELESS_AFTER

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and keep it while the body lasts."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < max(1, int(self._allowed)))
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def went_well(self) -> None:
        """One transfer succeeded."""
        with self._changed:
            self._failures = 0
            self._allowed = min(self._most, self._allowed + 1 / self._allowed)
            self._changed.notify_all()

    def went_badly(self, *, is_busy: bool) -> None:
        """One failed for a reason that is the Space's; `is_busy` when it asked for less."""
        with self._changed:
            if not is_busy:
                self._failures += 1
            elif time.monotonic() - self._eased_at > EASE_SECONDS:
                # Once for all that were under way together when it said so.
                self._eased_at = time.monotonic()
                self._allowed = max(1.0, self._allowed / 2)


class Budget:
    """Bytes in memory, shared by all transfers; one that wants more than there is waits until it is alone."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def share(self, wanted: int) -> Iterator[None]:
        """Wait for so many bytes, and keep them while the body lasts."""
        share = min(wanted, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + share <= self._total)
            self._used += share
        try:
            yield
        finally:
            with self._changed:
                self._used -= share
                self._changed.notify_all()
