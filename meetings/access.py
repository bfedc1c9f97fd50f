"""Who may follow and steer the jobs of this app, and whose its files are: what lower rooms ask, answered here."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q

from accounts.models import User
from chatvista.foundation.models import Job
from chatvista.foundation.views import Access, register_access
from meetings import abilities, exporting, minuting, sealing, transcribing
from meetings.abilities import Ability
from meetings.models import Export, Meeting, Minutes, Recording
from storage_sync import ownership
from storage_sync.uploading.storing import VERIFICATION


def register() -> None:
    """Answer for the jobs and files of meetings; called once, when the app is ready."""
    for kind in (transcribing.KIND, minuting.KIND, exporting.KIND, sealing.KIND, VERIFICATION):
        register_access(kind=kind, resolver=job_access)
    ownership.register(owns_visible_file)


def job_access(user: Any, job: Job) -> Access:
    """`write` for who may steer jobs of the meeting, `read` for the others who see what the job is about."""
    meeting = _meeting_of(user, job) if isinstance(user, User) else None
    if meeting is None:
        return "none"
    return "write" if Ability.STEER_JOBS in abilities.abilities_of(user=user, meeting=meeting) else "read"


def owns_visible_file(user: Any, file_id: uuid.UUID) -> bool:
    """Whether a recording or export the user sees has this file."""
    if not isinstance(user, User):
        return False
    return (
        Recording.objects.visible_to(user).filter(file=file_id).exists()
        or Export.objects.visible_to(user).filter(file=file_id, file__state="stored").exists()
    )


def _meeting_of(user: User, job: Job) -> Meeting | None:
    rows: Any
    if job.kind == sealing.KIND:
        meeting: Meeting | None = Meeting.objects.visible_to(user).filter(pk=job.subject_id).first()
        return meeting
    if job.kind == transcribing.KIND:
        # An older transcription of a recording that has been transcribed again is still the transcript's job.
        rows = Recording.objects.visible_to(user).filter(Q(job=job) | Q(pk=job.subject_id))
    elif job.kind == VERIFICATION:
        rows = Recording.objects.visible_to(user).filter(file=job.subject_id)
    elif job.kind == minuting.KIND:
        rows = Minutes.objects.visible_to(user).filter(job=job)
    else:
        rows = Export.objects.visible_to(user).filter(job=job)
    row: Recording | Minutes | Export | None = rows.select_related("meeting").first()
    return row.meeting if row is not None else None
