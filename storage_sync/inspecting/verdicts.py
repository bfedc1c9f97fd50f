"""What two lists say about one key: pure judgement, before anything is looked at again."""

from __future__ import annotations

from enum import StrEnum

from storage_sync.inspecting.listing import Known, Meeting
from storage_sync.sides.contract import Found
from storage_sync.vocabulary import CopyState, FileState


class Verdict(StrEnum):
    """How one key ended; these names are what inspections count.

    The first six are no differences: they agree, are explained by work under way or changed while the lists were
    read; an unknown object contradicts no row, and is told of by itself.
    """

    AGREE = "agree"
    EXPLAINED = "explained"
    CHANGED = "changed_meanwhile"
    BUSY = "busy"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    MISSING = "missing"
    DAMAGED = "damaged"
    ADOPTED = "adopted"
    FOUND_AGAIN = "found_again"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    LEFTOVER = "leftover"
    REMOVED = "removed"
    QUARANTINED = "quarantined"
    FAILED = "failed"

    @property
    def is_difference(self) -> bool:
        """Whether ledger and side contradicted each other, or something had to be done."""
        return self not in _NO_DIFFERENCE


_NO_DIFFERENCE = {
    Verdict.AGREE, Verdict.EXPLAINED, Verdict.CHANGED, Verdict.BUSY, Verdict.UNKNOWN, Verdict.FOREIGN
}  # fmt: skip


class Suspicion(StrEnum):
    """What the lists make look wrong; it is looked at again before anything is done."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNEXPECTED = "unexpected"
    UNCOPIED = "uncopied"
    NOWHERE = "nowhere"
    LEFTOVER = "leftover"
    UNKNOWN = "unknown"

    @property
    def is_harmful(self) -> bool:
        """Whether acting on it takes something away: a copy from the ledger, or bytes from a side."""
        return self in {Suspicion.MISSING, Suspicion.DAMAGED, Suspicion.NOWHERE, Suspicion.LEFTOVER}


READABLE = {FileState.STORED, FileState.ARCHIVED}


def judge(meeting: Meeting, *, is_cloud: bool) -> Verdict | Suspicion:
    """A verdict where the lists suffice for one, else the suspicion."""
    known, found = meeting
    if known is None:
        return Suspicion.UNKNOWN
    if known.state in READABLE:
        return _judge_readable(known, found, is_cloud=is_cloud)
    if found is None:
        return Verdict.AGREE
    if known.state == FileState.LOST:
        return Suspicion.UNEXPECTED if looks_right(known, found) else Verdict.AGREE
    if known.state == FileState.PURGED:
        return Suspicion.LEFTOVER
    if known.state == FileState.ABANDONED and known.copy_state in {None, CopyState.MISSING}:
        return Suspicion.LEFTOVER
    return Verdict.EXPLAINED


def looks_right(known: Known, found: Found) -> bool:
    """Whether what was listed may be the file's bytes, by size and by our own MD5s where the side tells an ETag."""
    if found.size != known.size:
        return False
    return found.etag is None or not known.etags or found.etag in known.etags


def _judge_readable(known: Known, found: Found | None, *, is_cloud: bool) -> Verdict | Suspicion:
    if found is not None:
        if known.copy_state != CopyState.PRESENT:
            return Suspicion.UNEXPECTED
        return Verdict.AGREE if looks_right(known, found) else Suspicion.DAMAGED
    if known.copy_state == CopyState.PRESENT:
        return Suspicion.MISSING
    if not known.is_anywhere:
        return Suspicion.NOWHERE
    # Every file belongs in the Space; on a disk a copy that nobody makes is an evicted one.
    return Suspicion.UNCOPIED if is_cloud and not known.is_due else Verdict.AGREE
