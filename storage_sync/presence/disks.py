"""The disk under the local side: its name, written on it, and the one process of this machine that tends it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from storage_sync.sides.local import sync_folder

NAME_FILE = ".node"
LOCK_FILE = ".chores"


@dataclass(frozen=True, slots=True)
class Room:
    """How much fits on the disk, in bytes."""

    free: int
    total: int


def disk_id(root: Path) -> uuid.UUID:
    """The name of the disk that holds `root`; one is given to a disk that has none. Raises OSError.

    The file is absent or complete: of two processes that name a new disk at once, one wins and both read its name. A
    file that somebody has damaged is no name, and the disk gets another: its contents are then looked at anew.
    """
    for _ in range(3):
        found = _read(root / NAME_FILE)
        if found is not None:
            return found
        _write(root, uuid.uuid4())
    raise OSError(f"{root / NAME_FILE} cannot be written")


def room(root: Path) -> Room:
    """What the filesystem says. Raises OSError."""
    usage = shutil.disk_usage(root)
    return Room(free=usage.free, total=usage.total)


class Tending:
    """A lock on the disk that one process holds, and the kernel returns when that process dies.

    The file also remembers when what is rarely done was done last, so that a restart does not do it again.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / LOCK_FILE
        self._handle: int | None = None

    def hold(self) -> bool:
        """Whether the lock is ours, taking it if it can be had. A folder that was replaced has a new lock."""
        if self._handle is not None and not self._is_still_there(self._handle):
            self.give_back()
        if self._handle is None:
            self._handle = self._taken()
        return self._handle is not None

    def give_back(self) -> None:
        """Let another process have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def remembered(self) -> dict[str, float]:
        """When each thing was done last, by this machine's clock. Nothing where that cannot be read."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8") or "{}")
            return {str(name): float(at) for name, at in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def remember(self, times: dict[str, float]) -> None:
        """Write that down, if the lock is ours. What is lost in a crash is done once more."""
        if self._handle is None:
            return
        raw = json.dumps(times).encode()
        with contextlib.suppress(OSError):
            os.pwrite(self._handle, raw, 0)
            os.ftruncate(self._handle, len(raw))

    def _taken(self) -> int | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        return handle

    def _is_still_there(self, handle: int) -> bool:
        try:
            ours, there = os.fstat(handle), self._path.stat()
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _read(path: Path) -> uuid.UUID | None:
    try:
        return uuid.UUID(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except ValueError:
        path.unlink(missing_ok=True)
        return None


def _write(root: Path, name: uuid.UUID) -> None:
    # What a crash leaves in temp/ is swept.
    (root / "temp").mkdir(parents=True, exist_ok=True)
    draft = root / "temp" / f"{uuid.uuid4().hex}.part"
    try:
        with draft.open("x", encoding="ascii") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            # A link, not a rename: the name that is there already stays.
            os.link(draft, root / NAME_FILE)
        sync_folder(root)
    finally:
        draft.unlink(missing_ok=True)
