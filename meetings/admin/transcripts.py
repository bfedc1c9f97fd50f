"""Transcripts, their voices and their lines."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from chatvista.foundation.read_only import ReadOnly
from meetings.models import Segment, Speaker, Transcript


class SpeakerInline(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold is untyped
    """The voices of a transcript, on its page. Its lines are too many for that."""

    model = Speaker
    fields = ("name", "participant")


@admin.register(Transcript)
class TranscriptAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Every version of every transcript."""

    list_display = ("meeting", "version", "state", "language", "engine", "model", "segments_count", "created_at")
    list_filter = ("engine", "language", "job__state")
    list_select_related = ("meeting", "job")
    search_fields = ("id", "meeting__title", "recording__original_name")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    inlines = (SpeakerInline,)


@admin.register(Speaker)
class SpeakerAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Voices over all transcripts."""

    list_display = ("name", "participant", "transcript__meeting", "transcript__version", "created_at")
    list_filter = (("participant", admin.EmptyFieldListFilter),)
    list_select_related = ("participant", "transcript__meeting")
    search_fields = ("id", "name")
    ordering = ("-id",)


@admin.register(Segment)
class SegmentAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """Lines over all transcripts. The table is long: it is counted by estimate and searched by id alone."""

    list_display = ("text", "speaker", "position", "start_ms", "end_ms", "transcript__meeting", "transcript__version")
    list_select_related = ("speaker", "transcript__meeting")
    search_fields = ("id__exact", "transcript__id__exact")
    show_full_result_count = False
    ordering = ("-id",)
