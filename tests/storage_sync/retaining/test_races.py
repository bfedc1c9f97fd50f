"""Purge, restore and hold at the same moment: the first decides, and nobody is told something that is not so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatvista.foundation.problems import Problem
from storage_sync.giving import reading
from storage_sync.models import Deletion, StoredFile
from storage_sync.retaining import applying, archiving, holding, purging
from tests.meetings.racing import race
from tests.storage_sync.making import WORDS
from tests.storage_sync.retaining.ageing import archived, fresh, policy

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


def code_of(outcome: Any) -> str:
    return outcome.code if isinstance(outcome, Problem) else "done"


def purge(file: StoredFile) -> Callable[[], Any]:
    return lambda: purging.begin(file_id=file.pk, reason="A race.")


def restore(file: StoredFile) -> Callable[[], Any]:
    return lambda: archiving.restore(fresh(file))


def hold(file: StoredFile, reason: str = "A lawsuit.") -> Callable[[], Any]:
    return lambda: holding.put_hold(file_id=file.pk, reason=reason)


def test_restore_or_purge(storeroom: Path) -> None:
    for _ in range(ROUNDS):
        file = archived()
        purged, restored = race([purge(file), restore(file)])
        assert purged == (fresh(file).state == "purging")
        assert purged == Deletion.objects.filter(file_id=file.pk).exists()
        assert code_of(restored) == ("not_restorable" if purged else "done")
        if not purged:
            assert reading.local_path(fresh(file)).read_bytes() == WORDS


def test_hold_or_purge(storeroom: Path) -> None:
    for _ in range(ROUNDS):
        file = archived()
        purged, held = race([purge(file), hold(file)])
        assert purged == (fresh(file).state == "purging")
        assert code_of(held) == ("file_purged" if purged else "done")
        assert fresh(file).has_legal_hold != purged
        assert fresh(file).legal_holds.exists() != purged


def test_two_purges_are_one(storeroom: Path) -> None:
    for _ in range(ROUNDS):
        file = archived()
        assert sorted(race([purge(file), purge(file)])) == [False, True]
        assert Deletion.objects.filter(file_id=file.pk).count() == 1


def test_two_runs_of_the_policies_share_the_work(storeroom: Path) -> None:
    policy(purge_after_days=7)
    for _ in range(6):
        archived(days=8)
    first, second = race([applying.apply, applying.apply])
    assert Deletion.objects.count() == first["purging"] + second["purging"]
    applying.apply()
    assert Deletion.objects.count() == StoredFile.objects.filter(state="purging").count() == 6


def test_two_at_once_carry_a_purge_to_its_end(storeroom: Path) -> None:
    file = archived()
    purge(file)()
    race([purging.carry_on, purging.carry_on])
    assert fresh(file).state == "purging", "two looks at the same moment are one look"


def test_two_holds_leave_one(storeroom: Path) -> None:
    for _ in range(ROUNDS):
        file = archived()
        race([hold(file, "One."), hold(file, "Two.")])
        assert file.legal_holds.filter(lifted_at=None).count() == 1
        assert file.legal_holds.count() == 2
