"""An export: minutes or a transcript as a document to send."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import User
from chatvista.foundation.models import Job
from chatvista.foundation.records import Record
from meetings.models.meeting import Meeting
from meetings.models.minutes import Minutes
from meetings.models.transcript import Transcript
from meetings.querysets import ExportQuerySet
from storage_sync.models import StoredFile


class Export(Record):
    """One document of one format; its bytes are a stored file once the job has completed."""

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="exports")
    minutes = models.ForeignKey(Minutes, on_delete=models.PROTECT, null=True, blank=True, related_name="exports")
    transcript = models.ForeignKey(Transcript, on_delete=models.PROTECT, null=True, blank=True, related_name="exports")
    format = models.CharField(max_length=8)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__isnull=False, transcript__isnull=True)
                | Q(minutes__isnull=True, transcript__isnull=False),
                name="an_export_is_of_minutes_or_of_a_transcript",
            )
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.id}"

    @property
    def is_ready(self) -> bool:
        """Whether the document is there."""
        return self.file is not None and self.file.state == "stored"

    @property
    def is_gone(self) -> bool:
        """Whether the document was there, and was put away by a retention policy or lost."""
        return self.file is not None and self.file.state in {"archived", "lost", "purging", "purged"}
