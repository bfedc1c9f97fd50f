"""Keeping the promise of a confidential meeting: all its files sealed; and of one that no longer is: none.

A job for each change of the flag rewrites file by file, each in its own time, and always as the flag says at that
moment. Files that arrive meanwhile are looked at when they are stored, and a scan finds what was missed all the same.
"""

from __future__ import annotations

from functools import partial

import structlog
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from chatvista.foundation.leases import State
from chatvista.foundation.models import Job
from chatvista.foundation.problems import PermanentError, Problem, TransientError
from chatvista.foundation.working import Work, queue_job
from meetings.models import Export, Meeting, Recording
from storage_sync.models import StoredFile
from storage_sync.sealing.rewriting import REWRITTEN, rewrite

logger = structlog.get_logger(__name__)

KIND = "sealing"
MOST_ATTEMPTS = 500  # at ten minutes each, days: a Space that is away must not leave a promise broken
MEETINGS_A_SCAN = 100


def queue_sealing(*, meeting: Meeting) -> Job:
    """Queue the work that brings a meeting's files to what its flag says, in the caller's transaction."""
    job = queue_job(kind=KIND, tenant_id=meeting.organization_id, subject_id=meeting.pk)
    Meeting.objects.filter(pk=meeting.pk).update(sealing_job=job)
    meeting.sealing_job = job
    return job


def rewrite_files(work: Work) -> None:
    """Do one such job. What cannot be rewritten now does not keep the others waiting, and is tried again."""
    work.enter("rewriting")
    postponed: PermanentError | TransientError | Problem | None = None
    meeting = Meeting.objects.get(pk=work.job.subject_id)
    found = list(_wrong(meeting).order_by("pk").values_list("pk", flat=True))
    for number, file_id in enumerate(found):
        work.progress(number / len(found))
        # Asked for each: it may have been changed back, and whoever changed it counts on it.
        wanted = Meeting.objects.values_list("is_confidential", flat=True).get(pk=meeting.pk)
        try:
            rewrite(file_id=file_id, is_confidential=wanted, pulse=partial(work.progress, number / len(found)))
        except (PermanentError, TransientError, Problem) as error:
            logger.warning("file_not_rewritten", file=str(file_id), code=error.code, detail=error.detail)
            postponed = error
    if postponed is not None:
        raise TransientError("files_not_rewritten", f"Some files could not be rewritten yet: {postponed.detail}")


def follow_stored_file(*, file: StoredFile) -> None:
    """A file was taken in while its meeting changed: called inside the transaction that makes it `stored`."""
    rows = Meeting.objects.filter(Q(recordings__file=file) | Q(exports__file=file)).values("pk")
    # Locked: either the flag is changed before this, and seen, or after it, and then the file is found.
    meeting = Meeting.objects.select_for_update(no_key=True).filter(pk__in=rows).first()
    if meeting is not None and meeting.is_confidential != file.is_confidential:
        queue_sealing(meeting=meeting)


def look_after() -> int:
    """Queue work for meetings whose files are not as they should be and on which nobody works; how many."""
    recordings = Recording.objects.filter(meeting=OuterRef("pk"), file__state__in=REWRITTEN)
    exports = Export.objects.filter(meeting=OuterRef("pk"), file__state__in=REWRITTEN)
    broken = Meeting.objects.filter(
        Exists(recordings.exclude(file__is_confidential=F("meeting__is_confidential")))
        | Exists(exports.exclude(file__is_confidential=F("meeting__is_confidential")))
    )
    at_work = Job.objects.filter(kind=KIND, subject_id=OuterRef("pk"), state__in=[State.QUEUED, State.RUNNING])
    found = list(broken.exclude(Exists(at_work)).order_by("pk")[:MEETINGS_A_SCAN])
    for meeting in found:
        logger.warning("meeting_not_as_promised", meeting=str(meeting.pk), is_confidential=meeting.is_confidential)
        queue_sealing(meeting=meeting)
    return len(found)


def _wrong(meeting: Meeting) -> QuerySet[StoredFile]:
    """The meeting's files that do not lie as its flag says."""
    own = Q(pk__in=Recording.objects.filter(meeting=meeting).values("file")) | Q(
        pk__in=Export.objects.filter(meeting=meeting, file__isnull=False).values("file")
    )
    return StoredFile.objects.filter(own, state__in=REWRITTEN).exclude(is_confidential=meeting.is_confidential)
