"""The shape of a job, as clients see it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chatvista.foundation.models import Job


class JobErrorSerializer(serializers.Serializer[Any]):
    """Why the last attempt did not succeed."""

    code = serializers.CharField()
    detail = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """`progress` is a share, 0..1; `error` stays visible while a retry waits."""

    error = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = ("id", "kind", "state", "step", "progress", "attempts", "error")
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        """Code and sentence, or null where nothing went wrong."""
        return {"code": job.error_code, "detail": job.error_detail} if job.error_code else None
