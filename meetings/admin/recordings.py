"""Recordings: where they are and how far their transcription is."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin

from chatvista.foundation import working
from chatvista.foundation.read_only import ReadOnly
from meetings.models import Recording


@admin.register(Recording)
class RecordingAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Recordings are read here; their transcription can be stopped and taken up again."""

    list_display = ("original_name", "meeting", "state", "size", "minutes_long", "uploaded_by", "created_at")
    list_filter = ("job__state", "file__state", "has_audio")
    list_select_related = ("meeting", "file", "job", "uploaded_by")
    search_fields = ("id", "original_name", "meeting__title", "file__sha256", "file__id")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    actions = ("retry", "cancel")

    @admin.display(description="size", ordering="file__size")
    def size(self, recording: Recording) -> str:
        """The size, for people."""
        return filesizeformat(recording.file.size)

    @admin.display(description="length", ordering="duration_ms")
    def minutes_long(self, recording: Recording) -> str:
        """The duration as m:ss."""
        minutes, seconds = divmod(recording.duration_ms // 1000, 60)
        return f"{minutes}:{seconds:02d}"

    @admin.action(description="Transcribe again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Recording]) -> None:
        """Queue failed and cancelled transcriptions again."""
        for job_id in queryset.filter(job__isnull=False).values_list("job_id", flat=True):
            working.retry_job(job_id=job_id)
        self.message_user(request, "Failed and cancelled transcriptions among them are queued again.")

    @admin.action(description="Stop transcribing", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Recording]) -> None:
        """Stop the transcriptions that have not ended; the recordings stay."""
        for job_id in queryset.filter(job__isnull=False).values_list("job_id", flat=True):
            working.cancel_job(job_id=job_id)
        self.message_user(request, "Transcriptions that had not ended are stopped.")
