"""One process of this node at a time: by locks that the kernel drops when their holder is killed.

Between nodes nothing is locked here: rows and leases are for that.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage_sync.sides.local import local

LOOK_EVERY_SECONDS = 0.02


class BusyError(Exception):
    """Somebody else of this node has held it for longer than one cared to wait."""


@contextmanager
def alone_on_node(name: str, *, patience: float) -> Iterator[None]:
    """Hold the lock of that name, which is a file in temp/ while somebody wants it.

    Also between threads. Raises BusyError after `patience` seconds, OSError when the disk takes no file.
    """
    path = local().root / "temp" / f"{name}.lock"
    descriptor = _taken(path, until=time.monotonic() + patience)
    try:
        yield
    finally:
        # Unlinked while held: whoever waits on this file sees that its name is gone, and begins anew.
        if _is_still_named(path, descriptor):
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(path: Path, *, until: float) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not _is_locked(descriptor):
                if time.monotonic() >= until:
                    raise BusyError(path.name)
                time.sleep(LOOK_EVERY_SECONDS)
            if _is_still_named(path, descriptor):
                os.utime(descriptor)  # or the sweep of temp/ would take it for a leftover
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_named(path: Path, descriptor: int) -> bool:
    """Whether the file we locked is the one at that name: its last holder may have unlinked it."""
    try:
        named, ours = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)
