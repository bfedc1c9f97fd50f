"""A transcript: who said what, and when. Versions stand beside each other; none replaces another."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from chatvista.foundation.leases import State
from chatvista.foundation.models import Job
from chatvista.foundation.records import Record
from meetings.models.meeting import Meeting
from meetings.models.participant import Participant
from meetings.models.recording import Recording
from meetings.querysets import TranscriptQuerySet


class Transcript(Record):
    """One version of what was said in a recording, or an import that came without one (`recording` null)."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="transcripts")
    recording = models.ForeignKey(
        Recording, on_delete=models.PROTECT, null=True, blank=True, related_name="transcripts"
    )
    job = models.OneToOneField(Job, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=20, blank=True)
    engine = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=100, blank=True)
    duration_ms = models.PositiveBigIntegerField(default=0)
    segments_count = models.PositiveIntegerField(default=0)

    objects = TranscriptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meeting", "version"], name="transcript_versions_are_counted_by_meeting"),
        ]

    def __str__(self) -> str:
        return f"Transcript {self.version} of {self.meeting_id}"

    @property
    def state(self) -> str:
        """queued, processing, completed or failed: an import is complete at once, the rest follow their job."""
        if self.job is None:
            return "completed"
        return {State.QUEUED: "queued", State.RUNNING: "processing", State.COMPLETED: "completed"}.get(
            State(self.job.state), "failed"
        )


class Speaker(Record):
    """A voice of a transcript; `name` is what is shown, `participant` who it is where that is known."""

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="speakers")
    name = models.CharField(max_length=200)
    participant = models.ForeignKey(Participant, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transcript", "name"], name="a_speaker_is_named_once_in_a_transcript")
        ]

    def __str__(self) -> str:
        return self.name


class Segment(Record):
    """One line of a transcript: [start_ms, end_ms) from the start of the recording. `words` is null where unknown."""

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="segments")
    speaker = models.ForeignKey(Speaker, on_delete=models.PROTECT, null=True, blank=True, related_name="segments")
    position = models.PositiveIntegerField()
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    text = models.TextField()
    words = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transcript", "position"], name="segments_have_one_order"),
            models.CheckConstraint(condition=Q(end_ms__gte=F("start_ms")), name="a_segment_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return self.text[:80]
