"""What the engine has before it: copies to be made by side and category, how long they wait, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Case, Count, F, Min, Q, Sum, When
from django.db.models.functions import Coalesce, Now

from storage_sync.models import Copy
from storage_sync.querysets import CopyQuerySet
from storage_sync.syncing import leasing
from storage_sync.vocabulary import CopyState


@dataclass(frozen=True, slots=True)
class Pile:
    """Copies of one side and category that are to be made. Of these `due` by now, `under_way` right now."""

    side: str
    category: str
    copies: int
    due: int
    under_way: int
    held_bytes: int
    oldest_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """All that is to be made anywhere, and the reasons why it is not yet, most frequent first."""

    piles: list[Pile]
    errors: list[tuple[str, int]]

    @property
    def copies(self) -> int:
        """How many in all."""
        return sum(pile.copies for pile in self.piles)


def to_be_made(*, categories: Collection[str] = ()) -> CopyQuerySet:
    """Copies that are to be made, now or later, here or on another node."""
    found = Copy.objects.exclude(state=CopyState.PRESENT)
    found = found.filter(next_attempt_at__isnull=False, file__state__in=leasing.READABLE)
    return found.filter(file__category__in=categories) if categories else found


def backlog(*, categories: Collection[str] = ()) -> Backlog:
    """All of it, whichever node is to make it."""
    rows = to_be_made(categories=categories)
    return Backlog(piles=_piles(rows), errors=_errors(rows))


def at_hand(*, categories: Collection[str] = (), now: bool = True) -> Backlog:
    """What this node can make; what it can make by `now`, or what waits for its next attempt, too."""
    rows = leasing.within_reach(to_be_made(categories=categories))
    if now:
        rows = rows.filter(next_attempt_at__lte=Now())
    return Backlog(piles=_piles(rows), errors=_errors(rows))


def _piles(rows: CopyQuerySet) -> list[Pile]:
    counted = rows.values("side", "file__category").annotate(
        copies=Count("pk"),
        due=Count("pk", filter=Q(next_attempt_at__lte=Now())),
        under_way=Count("pk", filter=Q(lease_until__gt=Now())),
        held_bytes=Sum(Coalesce("file__sealed_size", "file__size")),
        # Bytes are waiting since they were stored, or since the copy was asked for.
        oldest_at=Min(Case(When(file__stored_at__gt=F("created_at"), then="file__stored_at"), default="created_at")),
    )
    return [
        Pile(side=row["side"], category=row["file__category"], **{name: row[name] for name in _COUNTED})
        for row in counted.order_by("side", "file__category")
    ]


_COUNTED = ("copies", "due", "under_way", "held_bytes", "oldest_at")


def _errors(rows: CopyQuerySet) -> list[tuple[str, int]]:
    counted = rows.exclude(error="").values("error").annotate(copies=Count("pk")).order_by("-copies", "error")
    return [(row["error"], row["copies"]) for row in counted[:10]]
