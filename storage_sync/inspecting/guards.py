"""What must hold before anything is changed on the word of a list. Pure calculation, but for what it is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

# Of fewer files than this a share says nothing: each is looked at again by itself anyway.
LEAST = 10
MOST_SHARE = 0.2

CANARY, EMPTY, SHORT, SHARE = FORCIBLE = ("canary", "empty", "short", "share")
"""The guards an operator may overrule. A list that failed is no list: that one stands."""


class GuardError(Exception):
    """A guard that stopped an inspection: its name, and the sentence for an operator."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(f"{name}: {sentence}")
        self.name = name


@dataclass(slots=True)
class Tally:
    """One prefix of one place: copies the ledger has there, how many of them were listed, and objects listed at all."""

    prefix: str
    expected: int = 0
    seen: int = 0
    listed: int = 0


def check(*, place: str, tallies: Collection[Tally], harm: int, forced: Collection[str] = ()) -> None:
    """Raise GuardError when the lists cannot be believed, or the plan would take away too much."""
    expected, listed = sum(tally.expected for tally in tallies), sum(tally.listed for tally in tallies)
    if EMPTY not in forced:
        if expected and not listed:
            raise GuardError(EMPTY, f"{place} lists nothing although the ledger has {expected} copies there.")
        for tally in tallies:
            if tally.expected >= LEAST and not tally.listed:
                sentence = f"{place} lists nothing under {tally.prefix} where the ledger has {tally.expected} copies."
                raise GuardError(EMPTY, sentence)
    if SHORT not in forced:
        for tally in (*tallies, Tally("every prefix", expected, sum(tally.seen for tally in tallies))):
            if tally.expected >= LEAST and tally.seen < tally.expected * (1 - MOST_SHARE):
                raise GuardError(
                    SHORT,
                    f"{place} lists {tally.seen} of the {tally.expected} copies that the ledger has under "
                    f"{tally.prefix}.",
                )
    if SHARE not in forced and harm > max(LEAST, MOST_SHARE * expected):
        raise GuardError(
            SHARE, f"On {place} {harm} of {expected} copies would be marked or removed; more than a fifth is not."
        )
