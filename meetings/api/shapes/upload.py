"""An upload under way, as clients see it; those of tus read the headers instead."""

from __future__ import annotations

from rest_framework import serializers

from storage_sync.models import Upload


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """How much of it has come, and how long it is kept unfinished."""

    class Meta:
        model = Upload
        fields = ("id", "state", "size", "offset", "expires_at")
        read_only_fields = fields
