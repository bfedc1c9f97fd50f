"""Files of the ledger whose bytes lie on this disk, for measuring what brings them to the Space."""

from __future__ import annotations

import hashlib
import os

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from storage_sync import fingerprints, keys
from storage_sync.models import Copy, StoredFile
from storage_sync.sides.cloud import cloud
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName


def lay(*, count: int, size: int, category: str) -> int:
    """So many stored files of random bytes, with a copy on this disk and one to be made in the Space."""
    now = timezone.now()
    files = []
    for _ in range(count):
        file = StoredFile(
            category=category, name="bench", content_type="application/octet-stream", extension="bin", size=size,
            state=FileState.STORED, stored_at=now,
        )  # fmt: skip
        file.key = keys.new_key(category=category, file_id=file.pk, extension="bin", on=now.date())
        path = local().path(file.key)
        path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(size))
        known = fingerprints.of_path(path)
        file.sha256, file.md5, file.composite_md5 = known.sha256, known.md5, known.composite_md5
        files.append(file)
    StoredFile.objects.bulk_create(files, batch_size=500)
    here = {"side": SideName.LOCAL, "node": settings.STORAGE_NODE, "state": CopyState.PRESENT, "verified_at": now}
    Copy.objects.bulk_create([Copy(file=file, **here) for file in files], batch_size=500)
    Copy.objects.bulk_create([Copy(file=file, side=SideName.CLOUD) for file in files], batch_size=500)
    return len(files)


def make_due(*, category: str) -> None:
    """As if none of them had ever been in the Space."""
    in_cloud = Copy.objects.filter(side=SideName.CLOUD, file__category=category)
    Copy.objects.filter(pk__in=in_cloud.values("pk")).update(
        state=CopyState.PENDING, verified_at=None, attempts=0, next_attempt_at=Now(), error="", lease_token=None,
        lease_until=None,
    )  # fmt: skip


def left(*, category: str) -> int:
    """Copies that are not there yet."""
    return Copy.objects.exclude(state=CopyState.PRESENT).filter(file__category=category).count()


def check(*, category: str) -> int:
    """Read every object back; how many there are. Raises SystemExit when one is not what its file says."""
    side = cloud()
    if side is None:
        raise SystemExit("there is no Space")
    files = StoredFile.objects.filter(category=category)
    for file in files:
        digest = hashlib.sha256()
        for chunk in side.read(key=file.key):
            digest.update(chunk)
        if digest.hexdigest() != file.sha256:
            raise SystemExit(f"{file.key} is not what it should be")
    return files.count()
