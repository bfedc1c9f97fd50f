"""Exports, as clients see and ask for them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import TextField
from chatvista.foundation.serializers import JobSerializer
from meetings.api.strict import StrictSerializer
from meetings.models import Export
from meetings.renderers.formats import ALL


class ExportSerializer(serializers.ModelSerializer[Export]):
    """A document of minutes or of a transcript. `file` is null until `ready`."""

    state = serializers.CharField(source="job.state")
    ready = serializers.BooleanField(source="is_ready")
    job = JobSerializer()

    class Meta:
        model = Export
        fields = ("id", "meeting", "minutes", "transcript", "format", "state", "ready", "file", "job", "created_at")
        read_only_fields = fields


class RequestedExportSerializer(serializers.Serializer[Any]):
    """An export being made, and the job to follow."""

    export = ExportSerializer()
    job = JobSerializer()


@extend_schema_field({"type": "string", "enum": list(ALL)})
class FormatField(TextField):
    """The name of a format; which there are depends on what is exported, so `exporting` decides."""


class ExportRequestSerializer(StrictSerializer):
    """Which format; minutes have no captions."""

    format = FormatField(max_length=20)
