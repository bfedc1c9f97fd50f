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
from storage_sync.disk import blocks
from storage_sync.disk.locking import BusyError
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
    if _remembers(path, before):
        return True
    if before[2] != file.held_size or not _has_its_sha256(file, path):
        return False
    remember(path, before)
    return True


def is_known(path: Path) -> bool:
    """Whether this process has verified these bytes, and they are still the same."""
    try:
        return _remembers(path, _identity(path))
    except (FileNotFoundError, NotADirectoryError):
        return False


def remember(path: Path, identity: Identity | None = None) -> None:
    """These bytes have just been verified."""
    found = identity or _identity(path)
    with _guard:
        _known[str(path)] = found
        _known.move_to_end(str(path))
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)


def forget(path: Path) -> None:
    """These bytes are gone, or no longer to be believed."""
    with _guard:
        _known.pop(str(path), None)


def forget_everything() -> None:
    """As if the process had just started."""
    with _guard:
        _known.clear()


@contextmanager
def alone(name: str, *, patience: float = -1) -> Iterator[None]:
    """One thread of this process at a time for one name; a lock exists only while somebody wants it.

    Raises BusyError after `patience` seconds; a negative one has no end.
    """
    with _guard:
        lock, users = _locks.get(name, (threading.Lock(), 0))
        _locks[name] = (lock, users + 1)
    try:
        if not lock.acquire(timeout=patience):
            raise BusyError(name)
        try:
            yield
        finally:
            lock.release()
    finally:
        with _guard:
            lock, users = _locks[name]
            if users == 1:
                del _locks[name]
            else:
                _locks[name] = (lock, users - 1)


def _has_its_sha256(file: StoredFile, path: Path) -> bool:
    """Where the digests of a large file's blocks are not known yet, the same pass makes them."""
    if not file.held_sha256:
        return True
    if not blocks.are_wanted(file) or blocks.are_known(file):
        return fingerprints.sha256_of_path(path) == file.held_sha256
    sha256, digests = blocks.of_path(path)
    if sha256 != file.held_sha256:
        return False
    blocks.keep(file=file, digests=digests)
    return True


def _remembers(path: Path, identity: Identity) -> bool:
    with _guard:
        if _known.get(str(path)) != identity:
            return False
        _known.move_to_end(str(path))
        return True


def _identity(path: Path) -> Identity:
    facts = path.stat()
    return facts.st_ino, facts.st_dev, facts.st_size, facts.st_mtime_ns
