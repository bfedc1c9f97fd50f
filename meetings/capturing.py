"""Taking recordings in, and what people do with them afterwards: archive, restore, transcribe again, stop."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.http import Http404

from accounts.models import Organization, User
from chatvista.foundation import audit, working
from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from chatvista.foundation.records import uuid7
from meetings import transcribing
from meetings.abilities import Ability, require
from meetings.audio.probing import Probed, probe
from meetings.models import Meeting, Participant, Recording
from storage_sync.arriving import receiving
from storage_sync.models import StoredFile
from storage_sync.retaining import archiving


def capture(
    *,
    user: User,
    meeting: Meeting,
    landed: receiving.Landed,
    original_name: str,
    participant: Participant | None = None,
    transcribe: bool = True,
    recording_id: uuid.UUID | None = None,
) -> Recording:
    """Make a recording of bytes that have landed; when this returns, both copies are verified.

    Args:
        landed: the whole body, on disk and hashed.
        original_name: what the client called it; shown, never used as a path.
        participant: the one person the track holds, where it holds one.
        transcribe: whether a transcript is queued as soon as the file is stored.
        recording_id: the id to give it, so that a repeated request finds its own first attempt.

    Raises:
        Problem: 415 `not_audio_or_video`, 403 `permission_denied`, 409 `upload_being_settled` or
            `idempotency_key_reused`, 413 `quota_exceeded`, 503 `storage_unavailable`.
    """
    require(user=user, meeting=meeting, ability=Ability.ADD_RECORDING)
    if first_attempt := _first_attempt(recording_id):
        # Its answer was lost, so nobody has compared the bodies yet.
        if first_attempt.file.sha256 not in {None, landed.sha256}:
            detail = "This key was used for another recording; make a new one."
            raise Problem("idempotency_key_reused", detail, status=409)
        return first_attempt
    with landed.opened() as media:
        probed = probe(media)
    name = original_name.strip()[:255] or f"recording.{probed.extension}"

    def own(file: StoredFile) -> None:
        add_row(
            file=file,
            meeting_id=meeting.pk,
            user=user,
            name=name,
            probed=probed,
            participant_id=participant.pk if participant else None,
            transcribe=transcribe,
            recording_id=recording_id,
        )

    file = receiving.receive(
        landed=landed,
        name=name,
        content_type=probed.media_type,
        extension=probed.extension,
        tenant_id=meeting.organization_id,
        own=own,
    )
    recording: Recording = Recording.objects.select_related("file", "job").get(file=file)
    return recording


def add_row(
    *,
    file: StoredFile,
    meeting_id: uuid.UUID,
    user: User,
    name: str,
    probed: Probed,
    participant_id: uuid.UUID | None,
    transcribe: bool,
    recording_id: uuid.UUID | None,
    job: Job | None = None,
) -> Recording:
    """The recording that owns a file, in the transaction that makes the file.

    Raises Http404, Problem 409 `upload_being_settled` or `upload_settled_meanwhile`, 413 `quota_exceeded`.
    """
    # The meeting may have gone to the trash while the body was under way.
    meeting = Meeting.objects.select_for_update().filter(pk=meeting_id, archived_at__isnull=True).first()
    if meeting is None:
        raise Http404
    if _first_attempt(recording_id):
        raise Problem("upload_settled_meanwhile", "The same upload has just succeeded.", status=409, retry_after=1)
    require_quota(meeting.organization_id)
    # So may the participant have left it; what they said is kept, as it is when they leave afterwards.
    present = meeting.participants.filter(pk=participant_id).first() if participant_id else None
    return Recording.objects.create(
        id=recording_id or uuid7(),
        meeting=meeting,
        file=file,
        uploaded_by=user,
        original_name=name,
        duration_ms=probed.duration_ms,
        has_audio=probed.audio_codec is not None,
        participant=present,
        wants_transcript=transcribe,
        job=job,
    )


def _first_attempt(recording_id: uuid.UUID | None) -> Recording | None:
    """What an earlier attempt of the same request made, whose answer was lost on the way."""
    first = Recording.objects.select_related("file", "job").filter(pk=recording_id).first() if recording_id else None
    if first is not None and first.file.state == "reserved":
        raise Problem(
            "upload_being_settled", "An earlier attempt of this upload is being settled.", status=409, retry_after=30
        )
    return first


def require_quota(organization_id: uuid.UUID) -> None:
    """Look again with the organization locked, its new file counted: of several uploads at once each saw room."""
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    if StoredFile.objects.used_bytes(organization.pk) > organization.allowed_bytes:
        raise Problem("quota_exceeded", "Another upload has just taken the rest of the quota.", status=413)


def follow_stored_file(*, file: StoredFile) -> None:
    """Do what a file that has just become `stored` makes necessary; called inside that transaction.

    The request that uploaded it and the sweeper that finished it for a killed one both pass here.
    """
    recording = Recording.objects.filter(file=file).select_related("meeting").first()
    if recording is None:
        return
    audit.record(
        action="recording.stored",
        target_kind="recording",
        target_id=recording.pk,
        actor=recording.uploaded_by_id,
        tenant_id=recording.meeting.organization_id,
        sha256=file.sha256,
        size=file.size,
    )
    # What nobody has read yet is verified first.
    if file.sha256 is not None:
        _begin_transcription(recording)


def follow_verified_file(*, file: StoredFile) -> None:
    """Go on with a recording whose bytes were read only after it was stored; called inside that transaction."""
    recording = Recording.objects.filter(file=file).select_related("meeting").first()
    if recording is not None and file.state == "stored":
        _begin_transcription(recording)


def _begin_transcription(recording: Recording) -> None:
    if recording.wants_transcript and recording.has_audio:
        transcribing.queue_transcription(recording=recording)


def follow_archived_file(*, file: StoredFile) -> None:
    """Stop transcribing a recording that a person or a policy archives; called inside that transaction."""
    recording = Recording.objects.filter(file=file, job__kind=transcribing.KIND).first()
    if recording is not None:
        working.cancel_job(job_id=recording.job_id)


def drop_owner(*, file: StoredFile) -> None:
    """Forget the recording of a reservation that came to nothing; called inside that transaction."""
    Recording.objects.filter(file=file).delete()


def archive_recording(*, user: User, recording: Recording) -> None:
    """Delete softly: the recording and its transcripts are invisible at once, and can be restored."""
    require(user=user, meeting=recording.meeting, ability=Ability.DELETE_RECORDING)
    with transaction.atomic():
        archiving.archive(recording.file)
        _audit(user, recording, "recording.archived")


def restore_recording(*, user: User, recording: Recording) -> Recording:
    """Bring an archived recording back, with all that hung on it. Problem 409 `not_restorable` once it is purged."""
    require(user=user, meeting=recording.meeting, ability=Ability.DELETE_RECORDING)
    with transaction.atomic():
        archiving.restore(recording.file)
        _audit(user, recording, "recording.restored")
    return _fresh(recording)


def retry_transcription(*, user: User, recording: Recording) -> Recording:
    """Queue a failed or cancelled transcription again; one that runs or has succeeded is left as it is.

    A recording that never had a transcription (`?transcribe=false`) gets its first.
    """
    require(user=user, meeting=recording.meeting, ability=Ability.STEER_JOBS)
    if not recording.has_audio:
        raise Problem("no_audio_track", "This video has no sound to transcribe.", status=409)
    with transaction.atomic():
        locked = Recording.objects.select_for_update(of=("self",)).select_related("file", "job").get(pk=recording.pk)
        was_heard = locked.job is not None and locked.job.kind == transcribing.KIND
        if not was_heard and locked.file.is_verified:
            transcribing.queue_transcription(recording=locked)
        elif locked.job_id is not None:
            working.retry_job(job_id=locked.job_id)
        _audit(user, recording, "recording.retried")
    return _fresh(recording)


def cancel_transcription(*, user: User, recording: Recording) -> Recording:
    """Stop transcribing; the recording stays."""
    require(user=user, meeting=recording.meeting, ability=Ability.STEER_JOBS)
    with transaction.atomic():
        if recording.job is not None and recording.job.kind == transcribing.KIND:
            working.cancel_job(job_id=recording.job.pk)
        _audit(user, recording, "recording.cancelled")
    return _fresh(recording)


def _fresh(recording: Recording) -> Recording:
    fresh: Recording = Recording.objects.select_related("file", "job", "meeting").get(pk=recording.pk)
    return fresh


def _audit(user: User, recording: Recording, action: str) -> None:
    audit.record(
        action=action,
        target_kind="recording",
        target_id=recording.pk,
        actor=user.pk,
        tenant_id=recording.meeting.organization_id,
    )
