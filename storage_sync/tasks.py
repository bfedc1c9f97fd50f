"""What Celery calls in the storeroom: each task makes one call, and running it twice changes nothing."""

from __future__ import annotations

from celery import shared_task

from storage_sync import archiving, nodes, sweeping


@shared_task
def sweep_reservations() -> None:
    """Finish or drop what killed processes left."""
    sweeping.sweep_reservations()


@shared_task
def move_archived_files() -> None:
    """Bring the bytes of archived and restored files to where they belong."""
    archiving.move_archived()


@shared_task
def bury_dead_nodes() -> None:
    """Take the local copies of machines that have gone silent out of the count."""
    nodes.bury_dead()
