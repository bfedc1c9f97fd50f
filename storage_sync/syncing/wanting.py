"""Wanting copies: asking for every file of some categories to be on this disk."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Sum
from django.db.models.functions import Coalesce, Now

from storage_sync.models import Copy, StoredFile
from storage_sync.querysets import StoredFileQuerySet
from storage_sync.vocabulary import CopyState, SideName

AT_ONCE = 2_000


def missing_here(*, categories: Collection[str] = ()) -> StoredFileQuerySet:
    """Stored and archived files of which this disk has no copy that is known to be right."""
    present = Copy.objects.present().filter(file=OuterRef("pk"), side=SideName.LOCAL, node=settings.STORAGE_NODE)
    files = StoredFile.objects.readable().filter(~Exists(present))
    return files.filter(category__in=categories) if categories else files


def want_here(*, categories: Collection[str] = ()) -> int:
    """Make their copies on this disk due now; how many. Cut short, it has asked for some of them."""
    wanted, last = 0, uuid.UUID(int=0)
    files = missing_here(categories=categories).order_by("pk")
    while some := list(files.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        last = some[-1]
        here = [Copy(file_id=pk, side=SideName.LOCAL, node=settings.STORAGE_NODE) for pk in some]
        Copy.objects.bulk_create(here, ignore_conflicts=True)
        ours = Copy.objects.filter(file__in=some, side=SideName.LOCAL, node=settings.STORAGE_NODE)
        wanted += ours.exclude(state=CopyState.PRESENT).update(next_attempt_at=Now(), attempts=0, updated_at=Now())
    return wanted


def size_of(files: StoredFileQuerySet) -> tuple[int, int]:
    """How many files, and how many bytes they are where they lie."""
    held = Sum(Coalesce("sealed_size", "size"), default=0)
    found = files.aggregate(files=Count("pk"), held_bytes=held)
    return found["files"], found["held_bytes"]
