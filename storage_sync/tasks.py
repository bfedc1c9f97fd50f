"""What Celery calls in the storeroom: each task makes one call, and running it twice changes nothing."""

from __future__ import annotations

from celery import shared_task

from storage_sync import waking
from storage_sync.inspecting import clearing, ordering, sweeping
from storage_sync.presence import nodes
from storage_sync.retaining import applying, archiving, purging
from storage_sync.syncing import running
from storage_sync.uploading import sweeping as uploads


@shared_task
def sweep_reservations() -> None:
    """Finish or drop what killed processes left."""
    sweeping.sweep_reservations()


@shared_task
def sweep_uploads() -> None:
    """Finish uploads that were left unfinished, and end those whose time has passed."""
    uploads.sweep()


@shared_task
def move_archived_files() -> None:
    """Bring the bytes of archived and restored files to where they belong."""
    archiving.move_archived()


@shared_task
def bury_dead_nodes() -> None:
    """Take the local copies of machines that have gone silent out of the count."""
    nodes.bury_dead()


@shared_task
def apply_retention() -> None:
    """Archive and begin to purge what is due by the policies."""
    applying.apply()


@shared_task
def carry_on_purges() -> None:
    """Empty the places of files that are purged."""
    purging.carry_on()


@shared_task
def sync_copies() -> None:
    """Make the copies that are due here; what is left when it is time is for the next."""
    if running.run(seconds=waking.TASK_SECONDS).stopped == running.OUT_OF_TIME:
        waking.wake()


@shared_task
def inspect_space() -> None:
    """Compare the ledger with the Space when that is due, and read a slice of its bytes again."""
    ordering.inspect_space()


@shared_task
def clear_space() -> None:
    """Remove what was put aside in the Space a month ago, and the parts of uploads that nobody completes."""
    clearing.clear_space()
