"""Filling the cache, killed between laying the bytes and saying so: the engine finds what lies there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chatvista.foundation.leases import in_seconds
from chatvista.foundation.problems import Problem
from storage_sync import syncing
from storage_sync.disk import finding, verifying
from storage_sync.giving import reading
from storage_sync.models import Copy, StoredFile
from tests.fakes.s3_faults import Fault, FaultySpace
from tests.storage_sync.making import on_disk, store

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """SIGKILL, as far as one process can play it: nothing that handles errors sees it."""


def die(**_: object) -> None:
    raise Killed


def evict(file: StoredFile) -> None:
    on_disk(file).unlink()
    verifying.forget_everything()
    Copy.objects.filter(file=file, side="local").update(state="missing", next_attempt_at=None)


def local_copy(file: StoredFile) -> Copy:
    return Copy.objects.get(file=file, side="local")


def test_a_fetch_that_ends_well_leaves_nothing_to_do(storeroom: Path) -> None:
    file = store()
    evict(file)
    reading.local_path(file)
    assert (local_copy(file).state, local_copy(file).next_attempt_at) == ("present", None)


def test_a_node_that_never_had_the_file_is_noted_as_well(storeroom: Path) -> None:
    file = store()
    evict(file)
    Copy.objects.filter(file=file, side="local").delete()
    reading.local_path(file)
    assert (local_copy(file).state, local_copy(file).next_attempt_at) == ("present", None)


def test_what_a_killed_reader_has_laid_is_found_without_fetching_it_again(
    storeroom: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store()
    evict(file)
    with monkeypatch.context() as killed:
        killed.setattr(finding, "note_copy", die)
        with pytest.raises(Killed):
            reading.local_path(file)
    assert on_disk(file).exists()
    assert local_copy(file).state == "missing"
    assert local_copy(file).next_attempt_at is not None
    Copy.objects.filter(side="local").update(next_attempt_at=in_seconds(-1))
    with FaultySpace(settings.SPACES_ENDPOINT) as space:
        settings.SPACES_ENDPOINT = space.url
        syncing.run()
        assert [one for one in space.requests("GET") if not one.target.is_listing] == []
    assert (local_copy(file).state, local_copy(file).next_attempt_at) == ("present", None)


def test_a_fetch_that_fails_asks_nobody_to_make_the_copy(storeroom: Path, settings: Settings) -> None:
    file = store()
    evict(file)
    with FaultySpace(settings.SPACES_ENDPOINT) as space:
        settings.SPACES_ENDPOINT = space.url
        space.inject(Fault("refuse", status=403, code="AccessDenied", times=0))
        with pytest.raises(Problem):
            reading.local_path(file)
    assert (local_copy(file).state, local_copy(file).next_attempt_at) == ("missing", None)
