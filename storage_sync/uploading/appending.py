"""Chunks become bytes of one file in temp/: uploads where there is no Space, on a disk that outlives the process.

The row's offset moves only behind bytes that were fsynced. A request that lost its lease writes nothing more: every
write is made under a lock on the file, with the lease looked at behind it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import Problem
from storage_sync.models import Upload, UploadState
from storage_sync.sides.local import local
from storage_sync.uploading.holding import Hold

FOLDER = "uploads"
GATHERED_BYTES = 1024 * 1024
SYNCED_EVERY = 16 * 1024 * 1024


def path_of(upload: Upload) -> Path:
    """Where its bytes are: a folder of its own in temp/, which the sweeping of old temporary files passes by."""
    return local().root / "temp" / FOLDER / str(upload.pk)


class Appending:
    """Takes the bytes of one request from where the upload stands. Problem 410 when the disk has lost some."""

    def __init__(self, *, hold: Hold) -> None:
        self.arrived = hold.upload.offset
        self._hold = hold
        self._gathered = bytearray()
        self._file = _opened(path_of(hold.upload), is_new=hold.upload.offset == 0)
        try:
            with self._alone():
                if os.fstat(self._file).st_size < self.arrived:
                    raise _gone()
                # What came behind the offset was never acknowledged.
                os.ftruncate(self._file, self.arrived)
        except BaseException:
            self.close()
            raise

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises OSError, LeaseLostError."""
        self._gathered += chunk
        self.arrived += len(chunk)
        if len(self._gathered) >= GATHERED_BYTES:
            self._write_down()
            # The last byte counts when the request has ended with it.
            if self.arrived - self._hold.upload.offset >= SYNCED_EVERY and self.arrived < self._hold.upload.size:
                self._sync()
        self._hold()

    def finish(self) -> None:
        """Have everything on the disk; with the last byte the upload is `finishing`, in the same UPDATE."""
        self._write_down()
        self._sync()

    def settle(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _write_down(self) -> None:
        with self._alone():
            if not self._hold.renew():
                raise LeaseLostError(f"{self._hold.upload.pk} is no longer ours")
            view = memoryview(self._gathered)
            at = self.arrived - len(view)
            while view:
                written = os.pwrite(self._file, view, at)
                view, at = view[written:], at + written
        self._gathered = bytearray()

    def _sync(self) -> None:
        os.fsync(self._file)
        state = UploadState.FINISHING if self.arrived == self._hold.upload.size else UploadState.OPEN
        self._hold.write(offset=self.arrived, state=state)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def _opened(path: Path, *, is_new: bool) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return os.open(path, os.O_RDWR | (os.O_CREAT if is_new else 0), 0o600)
    except FileNotFoundError as error:
        raise _gone() from error


def _gone() -> Problem:
    return Problem("upload_gone", "This disk no longer has the upload; begin it anew.", status=410)
