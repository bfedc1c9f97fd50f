"""Whether a file on this disk is what the ledger says: its sha256 once per process, then inode, size and time.

Answers are remembered for as many files as a process is likely to serve, and forgotten with the process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage_sync import fingerprints
from storage_sync.models import StoredFile

REMEMBERED = 4096
Identity = tuple[int, int, int, int]

_known: OrderedDict[str, Identity] = OrderedDict()
_locks: dict[str, tuple[threading.Lock, int]] = {}
_guard = threading.Lock()


def holds(*, file: StoredFile, path: Path) -> bool | None:
    """True when the bytes are right, False when they are wrong, None when there are none.

    Raises OSError when the disk fails to read them, which says nothing about what is on it.
    """
    try:
        before = _identity(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with _guard:
        if _known.get(str(path)) == before:
            _known.move_to_end(str(path))
            return True
    if before[2] != file.size or (file.sha256 and fingerprints.sha256_of_path(path) != file.sha256):
        return False
    remember(path, before)
    return True


def remember(path: Path, identity: Identity | None = None) -> None:
    """These bytes have just been verified."""
    found = identity or _identity(path)
    with _guard:
        _known[str(path)] = found
        _known.move_to_end(str(path))
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)


def forget_everything() -> None:
    """As if the process had just started."""
    with _guard:
        _known.clear()


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One thread of this process at a time for one name; a lock exists only while somebody wants it."""
    with _guard:
        lock, users = _locks.get(name, (threading.Lock(), 0))
        _locks[name] = (lock, users + 1)
    try:
        with lock:
            yield
    finally:
        with _guard:
            lock, users = _locks[name]
            if users == 1:
                del _locks[name]
            else:
                _locks[name] = (lock, users - 1)


def _identity(path: Path) -> Identity:
    facts = path.stat()
    return facts.st_ino, facts.st_dev, facts.st_size, facts.st_mtime_ns
