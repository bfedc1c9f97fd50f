"""Large ledgers are compared in memory that does not grow with them."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from storage_sync.inspecting.places import reachable
from storage_sync.inspecting.surveying import survey
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.contract import Found, Page
from storage_sync.vocabulary import SideName
from tests.storage_sync.ledgers import fill

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MIB = 1024 * 1024
AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def as_the_ledger_says(side: CloudSide, *, prefix: str = "", after: str | None = None, limit: int = 1000) -> Page:
    """A Space that holds what it should, but for every hundredth object."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, size FROM storage_sync_storedfile WHERE key ~>~ %s AND key ~<~ %s AND size %% 100 <> 0 "
            "ORDER BY key USING ~<~ LIMIT %s",
            [after or prefix, f"{prefix[:-1]}0", limit],
        )
        found = [Found(key, size, AT) for key, size in cursor.fetchall()]
    return Page(found, found[-1].key if len(found) == limit else None)


@pytest.mark.parametrize("files", [20_000, 100_000])
def test_memory_stays_flat(storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    fill(files=files, node=settings.STORAGE_NODE)
    monkeypatch.setattr(CloudSide, "page", as_the_ledger_says)
    [place] = reachable([SideName.CLOUD])
    tracemalloc.start()
    try:
        found: Any = survey(place=place)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.keys, found.harm) == (files, files // 100)
    assert len(list(found.suspects())) == files // 100
    found.close()
    assert peak < 12 * MIB, f"{peak / MIB:.1f} MiB"
