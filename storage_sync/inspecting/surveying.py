"""Reading the lists of one place to their end and writing down what looks wrong, before anything is done about it."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from storage_sync.inspecting import listing
from storage_sync.inspecting.guards import Tally
from storage_sync.inspecting.places import Place
from storage_sync.inspecting.strangers import explained
from storage_sync.inspecting.verdicts import READABLE, Suspicion, Verdict, judge
from storage_sync.vocabulary import CopyState

IN_MEMORY = 8 * 1024 * 1024
STRANGERS_AT_ONCE = 500
Progress = Callable[[int], None]


class Suspect(NamedTuple):
    """One key that looks wrong."""

    suspicion: Suspicion
    file_id: uuid.UUID | None
    key: str
    size: int


def _scroll() -> IO[str]:
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+", encoding="utf-8")


@dataclass(slots=True)
class Survey:
    """What the lists of one place tell. Suspects are kept in a file once they are many: memory stays flat."""

    place: Place
    tallies: dict[str, Tally] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    suspicions: Counter[str] = field(default_factory=Counter)
    _scroll: IO[str] = field(default_factory=_scroll)

    @property
    def harm(self) -> int:
        """How many copies would be marked, or bytes removed."""
        return sum(number for name, number in self.suspicions.items() if Suspicion(name).is_harmful)

    @property
    def keys(self) -> int:
        """How many keys were looked at."""
        return self.verdicts.total() + self.suspicions.total()

    def suspect(self, suspect: Suspect) -> None:
        """Write down one suspicion."""
        self.suspicions[suspect.suspicion] += 1
        file_id = str(suspect.file_id) if suspect.file_id else ""
        self._scroll.write(json.dumps([suspect.suspicion, file_id, suspect.key, suspect.size]) + "\n")

    def suspects(self) -> Iterator[Suspect]:
        """Everything that was written down, in the order of the lists."""
        self._scroll.seek(0)
        for line in self._scroll:
            suspicion, file_id, key, size = json.loads(line)
            yield Suspect(Suspicion(suspicion), uuid.UUID(file_id) if file_id else None, key, size)

    def close(self) -> None:
        """Forget the suspects."""
        self._scroll.close()


def unheard(keys: int) -> None:
    """The progress that nobody follows."""


def survey(*, place: Place, categories: Collection[str] | None = None, progress: Progress = unheard) -> Survey:
    """Read everything listed and known at a place. Raises TransientError, PermanentError, OSError when a list fails."""
    result = Survey(place)
    try:
        _read_lists(result, categories, progress)
    except BaseException:
        result.close()
        raise
    return result


def _read_lists(result: Survey, categories: Collection[str] | None, progress: Progress) -> None:
    place, strangers = result.place, list[Suspect]()
    for prefix in listing.prefixes(categories):
        tally = result.tallies[prefix] = Tally(prefix)
        for number, meeting in enumerate(listing.meetings(place=place, prefix=prefix)):
            _count(tally, meeting)
            judgement = judge(meeting, is_cloud=place.is_cloud)
            if isinstance(judgement, Verdict):
                result.verdicts[judgement] += 1
            elif meeting.known is not None:
                known = meeting.known
                result.suspect(Suspect(judgement, known.file_id, known.key, known.size))
            elif meeting.found is not None:
                strangers.append(Suspect(judgement, None, meeting.found.key, meeting.found.size))
                if len(strangers) == STRANGERS_AT_ONCE:
                    _question(result, strangers)
            if number % STRANGERS_AT_ONCE == 0:
                progress(result.keys)
    _question(result, strangers)
    progress(result.keys)


def _count(tally: Tally, meeting: listing.Meeting) -> None:
    known, found = meeting
    tally.listed += found is not None
    if known is not None and known.copy_state == CopyState.PRESENT and known.state in READABLE:
        tally.expected += 1
        tally.seen += found is not None


def _question(result: Survey, strangers: list[Suspect]) -> None:
    """Tell apart what work under way explains, and empty the list."""
    known = explained(place=result.place, names=[stranger.key for stranger in strangers])
    for stranger in strangers:
        if stranger.key in known:
            result.verdicts[Verdict.EXPLAINED] += 1
        else:
            result.suspect(stranger)
    strangers.clear()
