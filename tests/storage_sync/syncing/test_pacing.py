"""How much goes on at once."""

from __future__ import annotations

import threading
import time

import pytest

from storage_sync.syncing import pacing
from storage_sync.syncing.outcomes import LONGEST_PAUSE_SECONDS, pause
from storage_sync.syncing.pacing import HOPELESS_AFTER, Budget, Pace


def test_a_busy_space_halves_the_pace_once_for_all_that_were_under_way() -> None:
    pace = Pace(16)
    for _ in range(10):
        pace.went_badly(is_busy=True)
    assert pace.allowed == 8


def test_the_pace_never_falls_below_one_and_is_won_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "EASE_SECONDS", -1.0)
    pace = Pace(16)
    for _ in range(10):
        pace.went_badly(is_busy=True)
    assert pace.allowed == 1
    for _ in range(200):
        pace.went_well()
    assert pace.allowed == 16


def test_only_failures_with_nothing_between_them_are_hopeless() -> None:
    pace = Pace(16)
    for _ in range(HOPELESS_AFTER - 1):
        pace.went_badly(is_busy=False)
    pace.went_well()
    pace.went_badly(is_busy=False)
    assert not pace.is_hopeless
    for _ in range(HOPELESS_AFTER):
        pace.went_badly(is_busy=False)
    assert pace.is_hopeless
    assert pace.allowed == 16


def test_no_more_turns_than_allowed() -> None:
    pace, at_once, most = Pace(3), 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal at_once, most
        with pace.turn():
            with guard:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.02)
            with guard:
                at_once -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_no_more_bytes_than_the_budget_and_a_giant_goes_alone() -> None:
    budget, used, most = Budget(100), 0, 0
    guard = threading.Lock()

    def work(size: int) -> None:
        nonlocal used, most
        with budget.share(size):
            with guard:
                used += min(size, 100)
                most = max(most, used)
            time.sleep(0.02)
            with guard:
                used -= min(size, 100)

    threads = [threading.Thread(target=work, args=(size,)) for size in (60, 60, 30, 500, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 100


def test_pauses_double_up_to_five_minutes_and_honour_what_was_asked() -> None:
    assert [pause(attempts=n, retry_after=0, luck=1) for n in range(4)] == [2, 4, 8, 16]
    assert pause(attempts=0, retry_after=0, luck=0) == 1
    assert pause(attempts=1000, retry_after=0, luck=1) == LONGEST_PAUSE_SECONDS
    assert pause(attempts=0, retry_after=30, luck=0.5) == 30
