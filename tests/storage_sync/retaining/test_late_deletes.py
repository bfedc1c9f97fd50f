"""A delete that was given up reaches the Space late, when its key is the file's again."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatvista.foundation.problems import Problem
from storage_sync.damage import losing
from storage_sync.giving import reading
from storage_sync.inspecting import mending
from storage_sync.inspecting.places import reachable
from storage_sync.inspecting.verdicts import Verdict
from storage_sync.models import Copy, StoredFile
from storage_sync.retaining import archiving
from storage_sync.sides.local import local
from tests.storage_sync.making import WORDS, space, store
from tests.storage_sync.retaining.ageing import fresh, let_time_pass

pytestmark = pytest.mark.django_db


def hit_after_a_restore() -> StoredFile:
    """A file, archived and restored, whose live key was emptied behind the ledger's back; no disk has it."""
    file = store()
    archiving.archive(file)
    archiving.move_archived()
    archiving.restore(fresh(file))
    archiving.move_archived()
    now = fresh(file)
    space().delete(key=now.key)
    for name in (now.key, now.other_key):
        local().delete(key=name)
    Copy.objects.filter(file=file, side="local").update(state="missing", next_attempt_at=None)
    return now


def test_a_reader_is_asked_to_come_again_and_then_gets_the_file(storeroom: Path) -> None:
    file = hit_after_a_restore()
    with pytest.raises(Problem) as caught:
        reading.local_path(file)
    assert (caught.value.status, fresh(file).state) == (503, "stored")
    assert archiving.move_archived() == {"emptied": 1}
    assert reading.local_path(fresh(file)).read_bytes() == WORDS
    assert [found.key for found in space().page().found] == [file.key]


def test_one_that_was_declared_lost_is_found_again_by_a_reconciliation(storeroom: Path) -> None:
    file = hit_after_a_restore()
    Copy.objects.filter(file=file).update(state="missing")
    assert losing.mark_lost(file_id=file.pk)
    [cloud] = [place for place in reachable() if place.is_cloud]
    assert mending.settle(place=cloud, file_id=file.pk, is_dry_run=False) == Verdict.FOUND_AGAIN
    archiving.move_archived()
    assert reading.local_path(fresh(file)).read_bytes() == WORDS


def test_bytes_that_are_already_where_the_file_belongs_need_no_other_source(storeroom: Path) -> None:
    file = store()
    archiving.archive(file)
    archiving.move_archived()
    archiving.restore(fresh(file))
    now = fresh(file)
    space().delete(key=now.key)
    for name in (now.key, now.other_key):
        local().delete(key=name)
    assert archiving.move_archived() == {"moved": 1}
    let_time_pass()
    assert reading.local_path(fresh(file)).read_bytes() == WORDS
