"""What every node does for its own disk, and how often: a Celery task reaches one worker, these reach every node.

One process of each node works this timetable (see `keeping`), each chore in a thread of its own, never the same twice
at once. A chore bounds its own time, may be killed at any line, and may be done more often than it says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from storage_sync.disk import caching
from storage_sync.inspecting import clearing, ordering, sweeping
from storage_sync.retaining import archiving, following, purging
from storage_sync.sealing import remnants
from storage_sync.syncing import running
from storage_sync.uploading import sweeping as uploads


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` is called every so many seconds; longer than `longest` is worth a warning in the log.

    What is done less than every ten minutes is remembered on the disk, so that a restart does not do it again.
    """

    name: str
    every: float
    run: Callable[[], object]
    longest: float = 300.0


TIMETABLE: tuple[Chore, ...] = (
    Chore("sweep", every=60, run=sweeping.sweep_reservations, longest=90),
    Chore("move archived files", every=120, run=archiving.move_archived, longest=90),
    Chore("follow moves", every=60, run=following.follow_moves, longest=60),
    Chore("carry on purges", every=60, run=purging.carry_on, longest=90),
    Chore("sync", every=60, run=running.look_for_due, longest=180),
    Chore("remnants", every=60, run=remnants.remove_due, longest=90),
    Chore("sweep uploads", every=60, run=uploads.sweep, longest=90),
    Chore("clear", every=3600, run=clearing.clear_disk, longest=60),
    Chore("inspect", every=3600, run=ordering.inspect_disk, longest=1800),
    Chore("evict", every=60, run=caching.evict_to_budget, longest=60),
)
