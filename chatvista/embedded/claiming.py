"""Who owns a home's stack and who uses it, by two file locks that no crash can leave behind.

`owner.lock` is held exclusively for as long as somebody runs the stack. `users.lock` is held shared by every command
that uses it, and exclusively while it starts or stops: so a user who has its share of `users.lock` and finds
`owner.lock` taken knows that the stack runs and will run until that share is returned.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from chatvista.embedded.home import Home


class FileLock:
    """An advisory lock on a file; children do not inherit it, and the kernel returns it when we die."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_exclusive(self) -> bool:
        """Take it, or change a share into it, if nobody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take a share of it, or change all of it into a share, if nobody else holds it exclusively."""
        return self._try(fcntl.LOCK_SH)

    def give_back(self) -> None:
        """Return whatever is held."""
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Return it and forget the file."""
        os.close(self._handle)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Claim:
    """One process's part in a home's stack: its owner, one of its users, or neither (yet)."""

    def __init__(self, home: Home) -> None:
        home.prepare()
        self._owner = FileLock(home.path / "owner.lock")
        self._users = FileLock(home.path / "users.lock")
        self.is_owner = False
        self.is_user = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owner.close()
        self._users.close()

    def attempt(self) -> bool:
        """Become owner (nobody is; the stack must be started, then `open`ed) or user of a running stack.

        False: somebody is just starting or stopping it, or died while others use it; try again in a moment.
        """
        if self._users.try_exclusive():
            if self._owner.try_exclusive():
                self.is_owner = True
                return True
            # It runs, unused so far. Changing the lock may lose it to a stop: then the next attempt sees.
            if not self._users.try_shared():
                return False
        elif not self._users.try_shared():
            return False
        # A share of the owner's lock can be had only when there is no owner.
        if self._owner.try_shared():
            self._owner.give_back()
            self._users.give_back()
            return False
        self.is_user = True
        return True

    def leave(self) -> None:
        """As a user: return the share."""
        self._users.give_back()
        self.is_user = False

    def open(self) -> None:
        """As the owner: the stack runs, let users come."""
        self._users.give_back()

    def close_to_users(self, *, patience: float, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """As the owner, before stopping: wait for users to leave and let no new ones in; False when some stay."""
        deadline = time.monotonic() + patience
        while not self._users.try_exclusive():
            if time.monotonic() >= deadline:
                return False
            meanwhile()
            time.sleep(0.05)
        return True
