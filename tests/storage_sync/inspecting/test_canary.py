"""Planting a canary: killed at any step, or done by two at once, it ends with one that is believed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from storage_sync.inspecting import canary
from storage_sync.inspecting.places import Place, reachable
from storage_sync.inspecting.reconciling import Order, reconcile
from storage_sync.models import Canary
from storage_sync.sides.cloud import CloudSide
from storage_sync.vocabulary import SideName
from tests.storage_sync.inspecting.running import run, some
from tests.storage_sync.making import put_in_cloud

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for SIGKILL."""


def the_space() -> Place:
    [place] = reachable([SideName.CLOUD])
    return place


@pytest.mark.parametrize("killed_in", ["delete", "put"])
@pytest.mark.parametrize("planting", ["first", "anew"])
def test_a_canary_whose_planting_was_killed_is_planted_by_the_next_run(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, planting: str, killed_in: str
) -> None:
    some()
    if planting == "anew":
        run()
        put_in_cloud(canary.KEY, b"x")
    really = getattr(CloudSide, killed_in)

    def killed_behind(side: CloudSide, *, key: str, **asked: Any) -> None:
        really(side, key=key, **asked)
        if key == canary.KEY:
            raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(CloudSide, killed_in, killed_behind)
        with pytest.raises(Killed):
            reconcile(Order(sides=[SideName.CLOUD], forced=["canary"]))
    assert run(sides=[SideName.CLOUD]).differences == 0
    assert run(sides=[SideName.CLOUD]).differences == 0, "and what it planted is believed from then on"
    assert canary.is_singing(the_space())


@pytest.mark.django_db(transaction=True)
def test_two_that_plant_the_first_at_once_leave_one_that_is_believed(storeroom: Path) -> None:
    def plant(together: threading.Barrier) -> None:
        together.wait()
        try:
            canary.plant(the_space())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            together = threading.Barrier(2, timeout=15)
            for planting in [threads.submit(plant, together) for _ in range(2)]:
                planting.result(30)
            assert canary.is_singing(the_space())
            the_space().side.delete(key=canary.KEY)
            Canary.objects.all().delete()
