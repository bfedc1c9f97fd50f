"""A recording, as clients see it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chatvista.foundation.serializers import JobSerializer
from meetings.models import Recording
from storage_sync.api.serializers import CopySerializer


class RecordingStorageSerializer(serializers.Serializer[Any]):
    """How safe the bytes are; the whole ledger of the file is at /files/{id}."""

    state = serializers.CharField()
    durability = serializers.CharField()
    copies = CopySerializer(many=True)


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A recording. `state` is stored, transcribing, transcribed, failed or archived; the bytes are safe in all.

    `verified` is false, and `sha256` may be null, while a job still reads what was uploaded past the API; if that
    fails, `job` says why.
    """

    content_type = serializers.CharField(source="file.content_type")
    size = serializers.IntegerField(source="file.size")
    sha256 = serializers.CharField(source="file.sha256", allow_null=True)
    verified = serializers.BooleanField(source="file.is_verified")
    state = serializers.CharField()
    storage = RecordingStorageSerializer(source="file")
    job = JobSerializer(allow_null=True)

    class Meta:
        model = Recording
        fields = (
            "id", "meeting", "file", "original_name", "content_type", "size", "sha256", "verified", "duration_ms",
            "participant", "state", "storage", "job", "created_at",
        )  # fmt: skip
        read_only_fields = fields
