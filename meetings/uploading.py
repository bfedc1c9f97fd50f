"""Recordings that come in chunks or in parts: who may begin one, and what its bytes become when all have come."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.http import Http404

from accounts.models import Organization, User
from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from meetings import capturing
from meetings.abilities import Ability, require
from meetings.audio.probing import Probed, probe
from meetings.models import Meeting, Participant, Recording
from storage_sync import keys
from storage_sync.models import StoredFile, Upload, UploadKind
from storage_sync.uploading import beginning, purposes
from storage_sync.uploading.purposes import Facts, Purpose
from storage_sync.vocabulary import Category

RECORDING = "recording"
# What a client calls its file only ever chooses the ending of a key; what the file is, its bytes tell.
_EXTENSIONS = frozenset({
    "3gp", "aac", "aiff", "amr", "asf", "au", "avi", "caf", "flac", "flv", "m4a", "mka", "mkv", "mov", "mp3", "mp4",
    "mpg", "oga", "ogg", "ogv", "opus", "ts", "w64", "wav", "weba", "webm", "wma", "wmv",
})  # fmt: skip


def register() -> None:
    """Say what uploads of this app become; called once, when the app is ready."""
    purposes.register(Purpose(name=RECORDING, refuse=_refuse, probe=_probe, own=_own))


def begin(
    *,
    user: User,
    meeting: Meeting,
    kind: UploadKind,
    name: str,
    content_type: str,
    size: int,
    participant: Participant | None = None,
    transcribe: bool = True,
    declared_sha256: str = "",
    metadata: str = "",
    upload_id: uuid.UUID | None = None,
) -> Upload:
    """Begin the upload of a recording; the recording will have the upload's id.

    Args:
        size: bytes announced; 0 where a direct upload does not say.
        metadata: the client's own words, given back when it asks.
        upload_id: the id to give it; an upload of that id is given back as it is.

    Raises:
        Problem: 403 `permission_denied`, 413 `quota_exceeded`, and what `beginning.begin` raises.
    """
    require(user=user, meeting=meeting, ability=Ability.ADD_RECORDING)
    params = {
        "meeting": str(meeting.pk),
        "participant": str(participant.pk) if participant else None,
        "transcribe": transcribe,
        "metadata": metadata,
    }
    extension = keys.clean_extension(name) if "." in name else ""
    with transaction.atomic():
        # Of several that begin at once each would see room.
        organization = Organization.objects.select_for_update(no_key=True).get(pk=meeting.organization_id)
        if upload_id and (first := Upload.objects.filter(pk=upload_id, owner_id=user.pk).first()):
            return first
        left = organization.allowed_bytes - StoredFile.objects.used_bytes(organization.pk)
        if size > left:
            detail = f"The organization has {max(0, left)} bytes of its quota left."
            raise Problem("quota_exceeded", detail, status=413)
        return beginning.begin(
            kind=kind,
            purpose=RECORDING,
            params=params,
            category=Category.RECORDINGS,
            name=name or "recording",
            content_type=content_type,
            extension=extension if extension in _EXTENSIONS else "",
            tenant_id=organization.pk,
            owner_id=user.pk,
            size=size,
            declared_sha256=declared_sha256,
            is_confidential=meeting.is_confidential,
            upload_id=upload_id,
        )


def recording_of(upload: Upload) -> Recording | None:
    """What came of a finished upload."""
    return Recording.objects.filter(file=upload.file_id).first() if upload.file_id else None


def _refuse(upload: Upload) -> None:
    """May they still? People leave organizations and meetings go to the trash while bytes are under way."""
    user = User.objects.filter(pk=upload.owner_id, is_active=True).first()
    meeting = Meeting.objects.visible_to(user).filter(pk=upload.params["meeting"]).first() if user else None
    if user is None or meeting is None:
        raise Problem("not_found", "The meeting is no longer there for you.", status=404)
    require(user=user, meeting=meeting, ability=Ability.ADD_RECORDING)
    if meeting.is_confidential and not upload.is_confidential:
        raise _not_sealed()


def _probe(upload: Upload, media: Path | BinaryIO) -> Facts:
    found = probe(media)
    return Facts(content_type=found.media_type, extension=found.extension, more=asdict(found))


def _own(upload: Upload, file: StoredFile, facts: Facts, job: Job | None) -> None:
    participant = upload.params["participant"]
    try:
        capturing.add_row(
            file=file,
            meeting_id=uuid.UUID(upload.params["meeting"]),
            user=User.objects.get(pk=upload.owner_id),
            name=upload.name,
            probed=Probed(**facts.more),
            participant_id=uuid.UUID(participant) if participant else None,
            transcribe=upload.params["transcribe"],
            recording_id=upload.pk,
            job=job,
        )
    except Http404 as error:
        raise Problem("not_found", "The meeting is no longer there for you.", status=404) from error
    # Its row is locked by now: it can no longer become confidential behind our back.
    if Meeting.objects.get(pk=upload.params["meeting"]).is_confidential and not file.is_confidential:
        raise _not_sealed()


def _not_sealed() -> Problem:
    detail = "The meeting has become confidential since this upload began; begin it anew."
    return Problem("became_confidential", detail, status=409)
