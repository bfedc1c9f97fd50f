"""Folders of keys, for people looking around: asked of the index by prefix, never by going through every row.

Keys are `category/year/month/file/version`: there are few folders on the upper levels, and each is looked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from storage_sync import keys
from storage_sync.models import StoredFile
from storage_sync.vocabulary import Category

MONTHS = [f"{month:02}" for month in range(1, 13)]


def children(parts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the folders and of the files directly below a folder, given by its parts; sorted."""
    prefix = "".join(f"{part}/" for part in parts)
    if len(parts) < 3:
        candidates = (sorted(Category.values), _years(), MONTHS)[len(parts)]
        return [name for name in candidates if _has_any(f"{prefix}{name}/")], []
    names = sorted({live.removeprefix(prefix).partition("/")[0] for live in _keys_below(prefix)})
    return (names, []) if len(parts) == 3 else ([], names)


def _below(prefix: str) -> list[QuerySet[StoredFile]]:
    """Stored files with keys below a folder. One restored a moment ago is there, too: its bytes are on the way."""
    stored = StoredFile.objects.stored()
    moving = stored.filter(other_key__startswith=prefix, key__startswith=keys.ARCHIVE).exclude(other_key="")
    return [stored.filter(key__startswith=prefix), moving]


def _has_any(prefix: str) -> bool:
    return any(files.exists() for files in _below(prefix))


def _keys_below(prefix: str) -> Iterable[str]:
    for files in _below(prefix):
        yield from map(keys.live_key, files.values_list("key", flat=True).iterator())


def _years() -> list[str]:
    """Those in which anything can have been stored."""
    first = StoredFile.objects.order_by("pk").values_list("created_at", flat=True).first()
    now = dt.datetime.now(dt.UTC)
    return [str(year) for year in range((first or now).year - 1, now.year + 2)]
