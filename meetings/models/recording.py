"""A recording: the owner, in this app, of a stored file that cannot be made again."""

from __future__ import annotations

from django.db import models

from accounts.models import User
from chatvista.foundation.leases import State
from chatvista.foundation.models import Job
from chatvista.foundation.records import Record
from meetings.models.meeting import Meeting
from meetings.models.participant import Participant
from meetings.querysets import RecordingQuerySet
from storage_sync.models import StoredFile


class Recording(Record):
    """One track of one meeting. It is visible exactly while its file is stored; it never loses its original."""

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="recordings")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    original_name = models.CharField(max_length=255)
    duration_ms = models.PositiveBigIntegerField()
    has_audio = models.BooleanField(default=True)
    participant = models.ForeignKey(
        Participant, on_delete=models.SET_NULL, null=True, blank=True, related_name="recordings",
        help_text="The one person this track holds, where it holds one.",
    )  # fmt: skip
    wants_transcript = models.BooleanField(default=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = RecordingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["meeting", "-id"], name="recordings_of_meeting")]

    def __str__(self) -> str:
        return self.original_name

    @property
    def state(self) -> str:
        """How far it is: archived, lost, stored, transcribing, transcribed or failed (the recording itself is safe)."""
        if self.file.state == "quarantined":
            return "failed"
        if self.file.state != "stored":
            return self.file.state
        if self.job is None or self.job.state == State.CANCELLED:
            return "stored"
        if self.job.kind != "transcribe":
            # Its bytes are being read for the first time.
            return "failed" if self.job.state == State.FAILED else "stored"
        return {State.COMPLETED: "transcribed", State.FAILED: "failed"}.get(State(self.job.state), "transcribing")
