"""What Celery calls: each task parses its ids and makes one call."""

from __future__ import annotations

import uuid

from celery import shared_task

from chatvista.foundation import idempotency, working


@shared_task
def run_job(job_id: str) -> None:
    """Do one job, if it is due."""
    working.run_job(job_id=uuid.UUID(job_id))


@shared_task
def reap_jobs() -> None:
    """Wake workers for whatever is due."""
    working.reap_jobs()


@shared_task
def forget_idempotency_keys() -> None:
    """Forget answers older than a day."""
    idempotency.forget_old_keys()
