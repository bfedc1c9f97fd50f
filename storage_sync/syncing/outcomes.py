"""What became of one copy that was due."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from storage_sync.models import Copy
from storage_sync.vocabulary import CopyState

LONGEST_PAUSE_SECONDS = 300.0
NO_SOURCE = "no_source"


class Verdict(Enum):
    """`PUT` is not believed yet: what the Space keeps is looked at once more before it counts as made."""

    PUT = "put"
    MADE = "made"
    FOUND = "found"
    FAILED = "failed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One copy and its verdict. `moved_bytes` went over the wire; `state` is what was found out of a copy not made."""

    copy: Copy
    verdict: Verdict
    moved_bytes: int = 0
    code: str = ""
    detail: str = ""
    retry_after: float = 0.0
    state: CopyState | None = None

    @property
    def is_there(self) -> bool:
        """Whether right bytes lie there, as far as is known."""
        return self.verdict in {Verdict.PUT, Verdict.MADE, Verdict.FOUND}


def pause(*, attempts: int, retry_after: float, luck: float) -> float:
    """Seconds until the next attempt: 2, 4, 8 ... up to five minutes, the upper half of it by `luck` (0..1)."""
    ceiling = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(attempts + 1, 16))
    return max(retry_after, ceiling * (1 + luck) / 2)
