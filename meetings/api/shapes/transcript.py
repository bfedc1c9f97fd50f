"""Transcripts and their segments, as clients see them, and an import in JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from meetings.api.strict import LanguageField, StrictSerializer
from meetings.models import Segment, Speaker, Transcript
from meetings.readers.structured import read_segments


class TranscriptSerializer(serializers.ModelSerializer[Transcript]):
    """One version of what was said. `recording` is null for an import."""

    state = serializers.ChoiceField(choices=["queued", "processing", "completed", "failed"])

    class Meta:
        model = Transcript
        fields = (
            "id", "meeting", "recording", "version", "state", "language", "engine", "model", "duration_ms",
            "segments_count",
        )  # fmt: skip
        read_only_fields = fields


class SpeakerSerializer(serializers.ModelSerializer[Speaker]):
    """A voice: the name to show, and the participant where that is known."""

    class Meta:
        model = Speaker
        fields = ("id", "name", "participant")
        read_only_fields = fields


class WordSerializer(serializers.Serializer[Any]):
    """One word and when it was said."""

    text = serializers.CharField()
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    """One line; `speaker` is null where nobody knows who spoke, `words` where no word times are known."""

    speaker = SpeakerSerializer(allow_null=True)
    words = WordSerializer(many=True, allow_null=True)

    class Meta:
        model = Segment
        fields = ("id", "position", "speaker", "start_ms", "end_ms", "text", "words")
        read_only_fields = fields


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": 50_000,
        "items": {
            "type": "object",
            "properties": {
                "speaker": {"type": "string", "nullable": True, "maxLength": 200},
                "start_ms": {"type": "integer", "minimum": 0},
                "end_ms": {"type": "integer", "minimum": 0},
                "text": {"type": "string", "maxLength": 20_000},
            },
            "required": ["start_ms", "end_ms", "text"],
            "additionalProperties": False,
        },
    }
)
class SegmentsField(serializers.Field[Any, Any, Any, Any]):
    """Segments, read by `readers.structured`, whose problems name the member."""

    def to_internal_value(self, data: Any) -> Any:
        """The lines."""
        return read_segments(data)


class ImportSerializer(StrictSerializer):
    """A transcript as JSON."""

    segments = SegmentsField(write_only=True)
    language = LanguageField(required=False, default="")
