"""A meeting, as clients see it and as they describe it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import LineField, TextField
from chatvista.foundation.serializers import JobSerializer
from meetings.api.strict import CountField, FlagField, InstantField, LanguageField, StrictSerializer, TimezoneField
from meetings.models import Meeting

MOST_AGENDA_ITEMS = 100
MOST_TAGS = 50


class AgendaItemSerializer(StrictSerializer):
    """One point of an agenda."""

    title = LineField(max_length=300)
    minutes = CountField(min_value=1, max_value=1440, required=False, allow_null=True)
    presenter = LineField(max_length=200, required=False, allow_blank=True)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": 300},
            {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "maxLength": 300},
                    "minutes": {"type": "integer", "minimum": 1, "maximum": 1440, "nullable": True},
                    "presenter": {"type": "string", "maxLength": 200},
                },
                "required": ["title"],
                "additionalProperties": False,
            },
        ]
    }
)
class AgendaItemField(serializers.Field[Any, Any, Any, Any]):
    """A title alone, or {title, minutes?, presenter?}; given back as it was sent."""

    default_error_messages = {"invalid": "An agenda item is a string, or an object with a title."}

    def to_internal_value(self, data: Any) -> Any:
        """The item, validated."""
        if isinstance(data, str):
            return LineField(max_length=300).run_validation(data)
        if not isinstance(data, Mapping):
            self.fail("invalid")
        given = AgendaItemSerializer(data=data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def to_representation(self, value: Any) -> Any:
        """The item as stored."""
        return value


class CreatorSerializer(serializers.Serializer[Any]):
    """Who made it."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class MeetingSerializer(serializers.ModelSerializer[Meeting]):
    """A meeting. `revision` is what the ETag is made of.

    `sealing_job` is what last rewrote its files because `confidential` changed; until it is completed some of them may
    still lie as before.
    """

    confidential = serializers.BooleanField(source="is_confidential")
    sealing_job = JobSerializer(allow_null=True)
    agenda = serializers.ListField(child=AgendaItemField())
    tags = serializers.ListField(child=serializers.CharField())
    created_by = CreatorSerializer()

    class Meta:
        model = Meeting
        fields = (
            "id", "title", "description", "status", "scheduled_start", "scheduled_end", "started_at", "ended_at",
            "timezone", "agenda", "tags", "language", "external_ref", "confidential", "sealing_job", "created_by",
            "revision", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class MeetingChangesSerializer(StrictSerializer):
    """What may be changed about a meeting. Members that are left out stay as they are."""

    title = LineField(max_length=300, required=False)
    description = TextField(max_length=20_000, required=False, allow_blank=True, trim_whitespace=False)
    scheduled_start = InstantField(required=False, allow_null=True)
    scheduled_end = InstantField(required=False, allow_null=True)
    timezone = TimezoneField(required=False)
    agenda = serializers.ListField(child=AgendaItemField(), required=False, max_length=MOST_AGENDA_ITEMS)
    tags = serializers.ListField(child=LineField(max_length=60), required=False, max_length=MOST_TAGS)
    language = LanguageField(required=False)
    external_ref = LineField(max_length=200, required=False, allow_blank=True)
    confidential = FlagField(required=False)

    def validate_tags(self, tags: list[str]) -> list[str]:
        """Each tag once, in the order given."""
        return list(dict.fromkeys(tags))

    def facts(self) -> dict[str, Any]:
        """The validated members as fields of `Meeting`."""
        given = dict(self.validated_data)
        if "confidential" in given:
            given["is_confidential"] = given.pop("confidential")
        return given


class NewMeetingSerializer(MeetingChangesSerializer):
    """A meeting to be made; only the title is required."""

    title = LineField(max_length=300)
