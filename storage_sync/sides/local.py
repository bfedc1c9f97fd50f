"""The local side: a tree of read-only files. A name in it is absent or complete, and survives a power cut."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from chatvista.foundation.problems import TransientError
from storage_sync import keys
from storage_sync.sides.contract import (
    CHUNK_BYTES,
    PAGE_KEYS,
    Found,
    MissingObjectError,
    OccupiedKeyError,
    Page,
    nothing,
)
from storage_sync.vocabulary import Category

FOLDERS = (*Category.values, "backup/daily", "backup/weekly", "backup/monthly", "archive", "temp", "quarantine")
READ_ONLY = 0o444
OWN = "temp", "quarantine", ".node", ".chores"
"""Names at the root that are no keys: bytes on their way in and out, the name of the disk, and who tends it."""
PULSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LocalSide:
    """Files below `root`; new ones are written in `temp/` on the same filesystem and linked to their key."""

    root: Path

    def lay_out(self) -> None:
        """Make the folders of the tree where they are missing."""
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where a key lies or would lie. ValueError for what is no key, so no path ever leaves the tree."""
        return self.root / keys.require_safe(key)

    def temp_path(self) -> Path:
        """A fresh name in temp/."""
        return self.root / "temp" / f"{uuid.uuid4().hex}.part"

    def free_bytes(self) -> int:
        """Bytes this process may still write."""
        return shutil.disk_usage(self.root / "temp").free

    def total_bytes(self) -> int:
        """Bytes the disk has in all."""
        return shutil.disk_usage(self.root / "temp").total

    def put(
        self, *, key: str, source: BinaryIO, size: int, content_type: str, pulse: Callable[[], None] = nothing
    ) -> None:
        """Write, fsync, link, fsync the folder. The media type is the ledger's affair."""
        target = self.path(key)
        if target.exists():
            raise OccupiedKeyError(key)
        with _as_transient():
            self.lay_out()
            temp = self.temp_path()
            try:
                with temp.open("xb", buffering=0) as sink:
                    _copy_exactly(source, sink, size, pulse)
                    os.fsync(sink.fileno())
                self.adopt(temp=temp, key=key)
            finally:
                temp.unlink(missing_ok=True)

    def adopt(self, *, temp: Path, key: str) -> None:
        """Give a complete, fsynced file of temp/ its key. Raises OccupiedKeyError, OSError."""
        target = self.path(key)
        self._make_folder(target.parent)
        temp.chmod(READ_ONLY)
        try:
            # A link, not a rename: a rename would replace what is there.
            os.link(temp, target)
        except FileExistsError as error:
            raise OccupiedKeyError(key) from error
        try:
            temp.unlink()
            sync_folder(target.parent)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def read(self, *, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a key, or of a part of it."""
        try:
            source = self.path(key).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise MissingObjectError(key) from error
        with source, _as_transient():
            source.seek(start)
            left = length
            while left is None or left > 0:
                chunk = source.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk

    def head(self, *, key: str) -> Found | None:
        """Size and time of a key."""
        with _as_transient():
            try:
                facts = self.path(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return Found(key, facts.st_size, dt.datetime.fromtimestamp(facts.st_mtime, dt.UTC))

    def delete(self, *, key: str) -> None:
        """Unlink the file, and the folder that was only its own."""
        path = self.path(key)
        with _as_transient():
            path.unlink(missing_ok=True)
            if path.parent != self.root:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()

    def copy(self, *, key: str, to: str) -> None:
        """A second name for the same bytes; they never change, so they need not be written twice."""
        source, target = self.path(key), self.path(to)
        with _as_transient():
            self._make_folder(target.parent)
            try:
                os.link(source, target)
            except FileNotFoundError as error:
                if source.exists():
                    raise  # the folder went away in between: not the file's fault, and worth another try
                raise MissingObjectError(key) from error
            except FileExistsError as error:
                raise OccupiedKeyError(to) from error
            sync_folder(target.parent)

    def page(self, *, prefix: str = "", after: str | None = None, limit: int = PAGE_KEYS) -> Page:
        """Walk the tree in the order of keys; temp/ and quarantine/ hold no keys."""
        found: list[Found] = []
        for key in self._walk(self.root, "", prefix, after or ""):
            if len(found) == limit:
                return Page(found, found[-1].key)
            facts = self.head(key=key)
            if facts is not None:
                found.append(facts)
        return Page(found, None)

    def quarantine(self, *, key: str) -> None:
        """Take bad bytes away from their key, keeping them for a look."""
        with _as_transient():
            self.lay_out()
            name = f"{key.replace('/', '_')}.{time.time_ns()}"
            with contextlib.suppress(FileNotFoundError):
                self.path(key).rename(self.root / "quarantine" / name)

    def forget_older(self, *, folder: str, seconds: float) -> int:
        """Remove files of temp/ or quarantine/ not written to for that long; how many."""
        removed = 0
        oldest = time.time() - seconds
        for path in (self.root / folder).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and path.lstat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
        return removed

    def _walk(self, folder: Path, at: str, prefix: str, after: str) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            # "a/b" sorts after "a-b": a folder has to be compared with its slash.
            listed = sorted((entry.name + ("/" if entry.is_dir() else ""), entry.path) for entry in entries)
            for name, path in listed:
                key = at + name
                if not at and name.rstrip("/") in OWN:
                    continue
                if name.endswith("/"):
                    reaches = key.startswith(prefix) or prefix.startswith(key)
                    if reaches and (key > after or after.startswith(key)):
                        yield from self._walk(Path(path), key, prefix, after)
                elif key.startswith(prefix) and key > after:
                    yield key

    def _make_folder(self, folder: Path) -> None:
        """Make a folder so that it is still there after a power cut: its name is synced into each parent."""
        made = []
        while not folder.is_dir():
            made.append(folder)
            folder = folder.parent
        for missing in reversed(made):
            missing.mkdir(exist_ok=True)
            sync_folder(missing.parent)


def local() -> LocalSide:
    """The local side of this node."""
    return LocalSide(Path(settings.STORAGE_PATH))


def sync_folder(folder: Path) -> None:
    """Write a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(error: OSError) -> bool:
    """Whether the disk, or our share of it, has no room left."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def _copy_exactly(source: BinaryIO, sink: BinaryIO, size: int, pulse: Callable[[], None]) -> None:
    left, last = size, time.monotonic()
    while left:
        chunk = source.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise ValueError(f"the source ended {left} bytes early")
        view = memoryview(chunk)
        left -= len(view)
        while view:
            view = view[sink.write(view) :]
        if time.monotonic() - last > PULSE_SECONDS:
            last = time.monotonic()
            pulse()


@contextlib.contextmanager
def _as_transient() -> Iterator[None]:
    """A disk that fails, as the kind of error background work understands."""
    try:
        yield
    except (MissingObjectError, OccupiedKeyError):
        raise
    except OSError as error:
        code = "disk_full" if is_full(error) else "disk_failed"
        raise TransientError(code, f"The local disk failed: {error.strerror or error}.") from error
