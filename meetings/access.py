"""Answers to the lower rooms' question "may this user see that?": for jobs and for files of meetings."""

from __future__ import annotations

import uuid
from typing import Any

from chatvista.foundation.models import Job
from chatvista.foundation.views import Access, register_access
from meetings import exporting, minuting, transcribing
from meetings.abilities import Ability, abilities_of
from meetings.models import Export, Meeting, Minutes, Recording
from storage_sync import ownership


def register() -> None:
    """Fill the registries; called once, when the app is ready."""
    register_access(kind=transcribing.KIND, resolver=_transcription_access)
    register_access(kind=minuting.KIND, resolver=_minutes_access)
    register_access(kind=exporting.KIND, resolver=_export_access)
    ownership.register(_may_see_file)


def _transcription_access(user: Any, job: Job) -> Access:
    recording = Recording.objects.visible_to(user).filter(pk=job.subject_id).select_related("meeting").first()
    return _access(user, recording.meeting if recording else None, Ability.STEER_JOBS)


def _minutes_access(user: Any, job: Job) -> Access:
    minutes = Minutes.objects.visible_to(user).filter(job=job).select_related("meeting").first()
    return _access(user, minutes.meeting if minutes else None, Ability.STEER_JOBS)


def _export_access(user: Any, job: Job) -> Access:
    export = Export.objects.visible_to(user).filter(job=job).select_related("meeting").first()
    return _access(user, export.meeting if export else None, Ability.EXPORT)


def _access(user: Any, meeting: Meeting | None, ability: Ability) -> Access:
    if meeting is None:
        return "none"
    return "write" if ability in abilities_of(user=user, meeting=meeting) else "read"


def _may_see_file(user: Any, file_id: uuid.UUID) -> bool:
    return (
        Recording.objects.of(user).filter(file=file_id).exists()
        or Export.objects.visible_to(user).filter(file=file_id).exists()
    )
