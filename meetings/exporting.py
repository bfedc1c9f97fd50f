"""From minutes or a transcript to a document to send, kept like every other file: on both sides."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from chatvista.foundation import audit
from chatvista.foundation.problems import PermanentError, Problem, TransientError
from chatvista.foundation.working import Work, queue_job
from meetings.abilities import Ability, require
from meetings.describing import minutes_document, transcript_document
from meetings.models import Export, Meeting, Minutes, Transcript
from meetings.renderers import FORMATS, Rendered, render_minutes, render_transcript
from storage_sync.arriving import receiving
from storage_sync.models import StoredFile

KIND = "export"


def request_export(
    *,
    user: User,
    format: str,  # noqa: A002  the API's own word
    minutes: Minutes | None = None,
    transcript: Transcript | None = None,
) -> Export:
    """Queue a document of minutes or of a transcript (exactly one of them).

    Raises:
        Problem: 400 `format_not_available`, 409 `not_ready` while the source is not finished, 403.
    """
    source = minutes or transcript
    if source is None or (minutes is not None and transcript is not None):
        raise ValueError("an export is of minutes or of a transcript")
    require(user=user, meeting=source.meeting, ability=Ability.EXPORT)
    available = FORMATS["minutes" if minutes else "transcript"]
    if format not in available:
        raise Problem("format_not_available", f"Choose one of {', '.join(available)}.", status=400)
    if (minutes and not minutes.is_written) or (transcript and transcript.state != "completed"):
        raise Problem("not_ready", "It is not finished yet; follow its job.", status=409)
    with transaction.atomic():
        job = queue_job(
            kind=KIND, tenant_id=source.meeting.organization_id, subject_id=source.pk, params={"format": format}
        )
        export = Export.objects.create(
            meeting=source.meeting,
            minutes=minutes,
            transcript=transcript,
            format=format,
            requested_by=user,
            job=job,
        )
        audit.record(
            action="export.requested",
            target_kind="export",
            target_id=export.pk,
            actor=user.pk,
            tenant_id=source.meeting.organization_id,
            format=format,
        )
    return export


def make_export(work: Work) -> None:
    """Do one export job: render, then keep the bytes; the export is ready exactly when its file is stored."""
    export = Export.objects.select_related("meeting", "minutes", "transcript", "file").get(job=work.job)
    if export.is_ready:
        return
    if export.file is not None and export.file.state == "reserved":
        # An earlier attempt died while storing: the sweeper finishes or drops that file, and two must not be made.
        raise TransientError("export_being_stored", "An earlier attempt is still being stored.", retry_after=30)
    work.enter("rendering")
    rendered = _rendered(export)

    def own(file: StoredFile) -> None:
        # The fence, in this transaction: whoever lost the job must not put its file in the place of another's.
        work.enter("storing")
        Export.objects.filter(pk=export.pk).update(file=file)

    receiving.receive_bytes(
        data=rendered.content,
        category="minutes" if export.minutes_id else "transcripts",
        name=f"{export.meeting.title[:200]}.{rendered.extension}",
        content_type=rendered.media_type,
        extension=rendered.extension,
        tenant_id=export.meeting.organization_id,
        own=own,
        # As it is now; should it change before the document is stored, that is noticed then (`sealing`).
        is_confidential=Meeting.objects.values_list("is_confidential", flat=True).get(pk=export.meeting_id),
    )


def drop_owner(*, file: StoredFile) -> None:
    """Let go of a reservation that came to nothing; the job makes another file."""
    Export.objects.filter(file=file).update(file=None)


def _rendered(export: Export) -> Rendered:
    if export.minutes is not None:
        return render_minutes(minutes_document(export.minutes), format=export.format)
    if export.transcript is not None:
        return render_transcript(transcript_document(export.transcript), format=export.format)
    raise PermanentError("nothing_to_export", "This export has no source.")
