"""What the words of one language give away: the shape of such knowledge, and which languages have it.

The patterns are regular expressions, matched without regard to case. `{NAME}` stands for the name of somebody known to
be in the meeting, `{DO}` for the language's verbs of doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["speaker", "named", "nobody"]


@dataclass(frozen=True, slots=True)
class Cue:
    """One sign, how much it weighs (an entry needs `points.ENOUGH`), and whom it makes the owner of an action."""

    pattern: str
    weight: float
    owner: Owner = "nobody"


@dataclass(frozen=True, slots=True)
class Calendar:
    """How days are named. `deadline` is what stands before a day by which something is due."""

    today: str
    tomorrow: str
    day_after_tomorrow: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    deadline: str
    end_of_week: str
    next_week: str
    end_of_month: str
    in_days: str
    in_weeks: str
    day_and_month: tuple[str, ...]
    day_of_month: str
    numbers: dict[str, int]
    past_or_vague: str

    def not_coming(self, weekday: str) -> str:
        """The pattern of a weekday that is not the one to come ("last Friday", "next Friday")."""
        return self.past_or_vague.replace("{DAY}", weekday)


@dataclass(frozen=True, slots=True)
class Cues:
    """All that is known of one language.

    `not_decisions` and `not_actions` take back what the cues found; `subordinate` is what stands right before a promise
    that is none ("if I send it").
    """

    code: str
    stopwords: frozenset[str]
    determiners: frozenset[str]
    fillers: str
    doing: str
    decisions: tuple[Cue, ...]
    not_decisions: str
    actions: tuple[Cue, ...]
    subordinate: str
    not_actions: str
    still_open: str
    ceremony: str
    capitalised_names: bool
    calendar: Calendar
