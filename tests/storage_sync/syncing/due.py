"""Copies that are due, made for real: files that were received, and then lack one side."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from storage_sync import fingerprints
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName
from tests.storage_sync.making import WORDS, on_disk, space


def lay(data: bytes = WORDS, *, category: str = "recordings", node: str = "", **more: Any) -> StoredFile:
    """A stored file whose bytes lie on this disk (or are said to lie on another node's) and not in the cloud yet."""
    file = StoredFile(
        category=category,
        name="words.flac",
        content_type="audio/flac",
        extension="flac",
        size=len(data),
        state=FileState.STORED,
        stored_at=timezone.now(),
        tenant_id=uuid.uuid4(),
    )
    file.key = f"{category}/2026/11/{file.pk}/{uuid.uuid4().hex}.flac"
    path = local().path(file.key)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    known = fingerprints.of_path(path)
    file.sha256, file.md5, file.composite_md5 = known.sha256, known.md5, known.composite_md5
    for name, value in more.items():
        setattr(file, name, value)
    file.save(force_insert=True)
    if node:
        path.unlink()
    Copy.objects.create(
        file=file,
        side=SideName.LOCAL,
        node=node or settings.STORAGE_NODE,
        state=CopyState.PRESENT,
        verified_at=timezone.now(),
    )
    Copy.objects.create(file=file, side=SideName.CLOUD, next_attempt_at=timezone.now())
    return file


def cloud_copy(file: StoredFile) -> Copy:
    """The row of the copy in the Space."""
    return Copy.objects.get(file=file, side=SideName.CLOUD)


def local_copy(file: StoredFile) -> Copy:
    """The row of the copy on this disk."""
    return Copy.objects.get(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE)


def forget_here(file: StoredFile) -> None:
    """This disk has lost the file and is to have it again."""
    on_disk(file).unlink(missing_ok=True)
    Copy.objects.filter(file=file, side=SideName.LOCAL).update(state=CopyState.MISSING, next_attempt_at=Now())


def object_of(file: StoredFile) -> bytes:
    """What the Space holds at the file's key."""
    return b"".join(space().read(key=StoredFile.objects.get(pk=file.pk).key))


def let_pauses_pass() -> None:
    """As if every back-off and every lease had run out."""
    Copy.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=Now())
    Copy.objects.filter(lease_until__isnull=False).update(lease_until=Now())


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()
