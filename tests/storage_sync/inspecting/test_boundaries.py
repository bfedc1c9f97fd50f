"""The guards as pure calculation: where each of them begins to bite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storage_sync.inspecting import guards
from storage_sync.inspecting.guards import GuardError, Tally


def stopped(name: str) -> Callable[..., None]:
    def check(tallies: list[Tally], harm: int = 0, **more: Any) -> None:
        with pytest.raises(GuardError) as stop:
            guards.check(place="X", tallies=tallies, harm=harm, **more)
        assert stop.value.name == name

    return check


def test_the_guards_at_their_boundaries() -> None:
    def fine(*tallies: Tally, harm: int = 0) -> None:
        guards.check(place="X", tallies=tallies, harm=harm)

    fine(Tally("a/", 0, 0, 0))
    fine(Tally("a/", 9, 1, 1), Tally("b/", 41, 41, 41))
    fine(Tally("a/", 100, 80, 80), harm=20)
    fine(Tally("a/", 20, 20, 20), harm=10)
    stopped("empty")([Tally("a/", 1, 0, 0)])
    stopped("empty")([Tally("a/", 10, 0, 0), Tally("b/", 1000, 1000, 1000)])
    stopped("short")([Tally("a/", 100, 79, 79)])
    stopped("short")([Tally("a/", 9, 1, 1), Tally("b/", 9, 9, 9)])
    stopped("share")([Tally("a/", 100, 100, 100)], harm=21)
    stopped("share")([Tally("a/", 20, 20, 20)], harm=11)
