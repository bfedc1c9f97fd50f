"""Rows and what lies on a side, met by key: streamed, in memory that does not grow with either.

A Space lists its keys in order, so the two are merged. A disk lists in no order: there every row is looked up on the
disk, then every file of the disk among the rows.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.db import connection

from chatvista.foundation.problems import TransientError
from storage_sync.inspecting.places import Place
from storage_sync.keys import ARCHIVE
from storage_sync.models import StoredFile
from storage_sync.sides.contract import Found, Side
from storage_sync.sides.local import LocalSide
from storage_sync.vocabulary import Category

ROWS_AT_ONCE = 2000
# Whether a copy is present anywhere is not asked by EXISTS, for which every page would hash the whole table.
# The index that Django makes for LIKE on the unique key is in the order of bytes, as the lists of object stores are,
# whatever the database collates by.
_ROWS = """
    SELECT f.id, f.key, f.state, COALESCE(f.sealed_size, f.size), f.md5, f.composite_md5,
           c.state, c.next_attempt_at IS NOT NULL,
           (SELECT true FROM storage_sync_copy a WHERE a.file_id = f.id AND a.state = 'present' LIMIT 1) IS NOT NULL
    FROM storage_sync_storedfile f
    LEFT JOIN storage_sync_copy c ON c.file_id = f.id AND c.side = %s AND c.node = %s
    WHERE f.key ~>~ %s AND f.key ~<~ %s
    ORDER BY f.key USING ~<~ LIMIT %s
"""


class Known(NamedTuple):
    """What the ledger says about one file and its copy at the place being looked at."""

    file_id: uuid.UUID
    key: str
    state: str
    size: int
    md5: str
    composite_md5: str
    copy_state: str | None
    is_due: bool
    is_anywhere: bool

    @property
    def etags(self) -> tuple[str, ...]:
        """The ETags the object may have."""
        return tuple(tag for tag in (self.md5, self.composite_md5) if tag)


class Meeting(NamedTuple):
    """A row and an object of one key; one of the two may be None."""

    known: Known | None
    found: Found | None


def prefixes(categories: Collection[str] | None = None) -> list[str]:
    """Where files live, in the order of keys; everything else on a side is none of ours (backup/, quarantine/)."""
    wanted = [category for category in Category.values if categories is None or category in categories]
    return sorted([f"{category}/" for category in wanted] + [f"{ARCHIVE}{category}/" for category in wanted])


def meetings(*, place: Place, prefix: str) -> Iterator[Meeting]:
    """Everything known or found under a prefix. Raises TransientError, PermanentError, OSError when a list fails."""
    if isinstance(place.side, LocalSide):
        return _met_on_disk(place, place.side, prefix)
    return _merged(rows(place=place, prefix=prefix), objects(side=place.side, prefix=prefix))


def rows(*, place: Place, prefix: str) -> Iterator[Known]:
    """The ledger's rows under a prefix, in the order of bytes."""
    after, beyond = prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, [place.name.value, place.node, after, beyond, ROWS_AT_ONCE])
            batch = [Known(*row) for row in cursor.fetchall()]
        yield from batch
        if len(batch) < ROWS_AT_ONCE:
            return
        after = batch[-1].key


def objects(*, side: Side, prefix: str) -> Iterator[Found]:
    """The keys of a side, page by page; TransientError when the list repeats, goes back or strays."""
    after: str | None = None
    last = b""
    while True:
        page = side.page(prefix=prefix, after=after)
        for found in page.found:
            at = found.key.encode()
            if not found.key.startswith(prefix) or at <= last:
                raise TransientError("cloud_listing_broken", f"The list of {prefix} is out of order.")
            last = at
            yield found
        if page.after is None:
            return
        after = page.after


def _merged(known: Iterator[Known], found: Iterator[Found]) -> Iterator[Meeting]:
    row, thing = next(known, None), next(found, None)
    while row is not None or thing is not None:
        at_row = None if row is None else row.key.encode()
        at_thing = None if thing is None else thing.key.encode()
        if at_thing is None or (at_row is not None and at_row < at_thing):
            yield Meeting(row, None)
            row = next(known, None)
        elif at_row is None or at_thing < at_row:
            yield Meeting(None, thing)
            thing = next(found, None)
        else:
            yield Meeting(row, thing)
            row, thing = next(known, None), next(found, None)


def _met_on_disk(place: Place, side: LocalSide, prefix: str) -> Iterator[Meeting]:
    for known in rows(place=place, prefix=prefix):
        yield Meeting(known, side.head(key=known.key))
    walk = _walk(side.root / prefix, prefix)
    while batch := list(islice(walk, ROWS_AT_ONCE)):
        names = [found.key for found in batch]
        known_keys = set(StoredFile.objects.filter(key__in=names).values_list("key", flat=True))
        yield from (Meeting(None, found) for found in batch if found.key not in known_keys)


def _walk(folder: Path, at: str) -> Iterator[Found]:
    """Files below a folder in the order of the disk; a folder that went away meanwhile has none."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{at}{entry.name}/")
                continue
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            # A name that is no text still has to be told about.
            name = entry.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            yield Found(f"{at}{name}", facts.st_size, dt.datetime.fromtimestamp(facts.st_mtime, dt.UTC))
