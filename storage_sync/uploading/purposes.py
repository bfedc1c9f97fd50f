"""What an upload is for, asked of the apps above: the storeroom knows bytes, they know recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from chatvista.foundation.models import Job
from storage_sync.models import StoredFile, Upload


@dataclass(frozen=True, slots=True)
class Facts:
    """What the bytes turned out to be. `more` is the app's own, and comes back to it in `own`."""

    content_type: str
    extension: str
    more: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Purpose:
    """How an app finishes uploads of its own.

    Args:
        name: what `Upload.purpose` holds.
        refuse: raises the Problem for which the upload may not (or no longer) be finished; outside any transaction.
        probe: what the bytes are, by a path or a seekable file; raises Problem when they are nothing to keep.
        own: writes the row that points at the file, in the transaction that stores it. The job is the one that will
            verify the file, None where that was done.
    """

    name: str
    refuse: Callable[[Upload], None]
    probe: Callable[[Upload, Path | BinaryIO], Facts]
    own: Callable[[Upload, StoredFile, Facts, Job | None], None]


_purposes: dict[str, Purpose] = {}


def register(purpose: Purpose) -> None:
    """Make a purpose known. Called once, when the app is ready."""
    _purposes[purpose.name] = purpose


def of(upload: Upload) -> Purpose:
    """The purpose of an upload; LookupError where no app of this version knows it."""
    return _purposes[upload.purpose]
