"""Pieces of uploads that are over: found in rounds that end, each behind where the last one stopped."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage_sync.models import Upload
from storage_sync.sides.cloud import CloudSide
from storage_sync.uploading import sweeping
from storage_sync.uploading.sweeping import sweep
from storage_sync.uploading.taking import take_chunk
from tests.storage_sync.making import space
from tests.storage_sync.uploading.conftest import Begin
from tests.storage_sync.uploading.sources import Sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("notes", "patient_leases")]


@pytest.fixture(autouse=True)
def from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is old, and nobody has looked yet."""
    monkeypatch.setattr(sweeping, "STRAY_AGE", dt.timedelta(hours=-1))
    cache.delete(sweeping.STOPPED_AT)
    yield
    cache.delete(sweeping.STOPPED_AT)


def lay_pieces(*owners: object) -> None:
    for owner in owners:
        space().put(key=f"uploads/{owner}/piece", source=io.BytesIO(b"x"), size=1, content_type="text/plain")


def names() -> list[str]:
    return [found.key for found in space().page(prefix="uploads/").found]


def test_a_page_of_pieces_costs_one_question(begin: Begin) -> None:
    going_on = [begin(100) for _ in range(4)]
    for one in going_on:
        take_chunk(upload_id=one.pk, offset=0, body=Sent(b"x"))
    lay_pieces("no-upload", *(uuid.uuid4() for _ in range(4)))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert sweep()["strays"] == 5
    assert sorted(names()) == sorted(Upload.objects.get(pk=one.pk).tail_key for one in going_on)
    assert sum('"storage_sync_upload"."id" IN' in query["sql"] for query in asked) == 1


def test_the_next_round_goes_on_where_the_last_one_stopped(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = begin(100)
    take_chunk(upload_id=going_on.pk, offset=0, body=Sent(b"x"))
    kept = Upload.objects.get(pk=going_on.pk).tail_key
    real, started = CloudSide.page, []

    def page(self: CloudSide, **asked: Any) -> Any:
        started.append(asked["after"])
        return real(self, **asked, limit=2)

    monkeypatch.setattr(CloudSide, "page", page)
    monkeypatch.setattr(sweeping, "MOST_PAGES", 1)
    # Behind the one that goes on, in the order of the keys.
    lay_pieces("x1", "x2", "x3")
    assert [sweep()["strays"] for _ in range(3)] == [1, 2, 0]
    assert started == ["", "uploads/x1/piece", ""]
    monkeypatch.undo()
    assert names() == [kept]
