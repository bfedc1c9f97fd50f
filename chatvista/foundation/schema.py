"""The OpenAPI document: every operation says that its errors are problem+json."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class ProblemDetails(serializers.Serializer[Any]):
    """RFC 9457 problem details, as every error answers."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)  # type: ignore[assignment]  # RFC member named like DRF's attribute


class ProblemSchema(AutoSchema):
    """DRF views as OpenAPI operations, with the error envelope beside each success."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        component = self.resolve_serializer(ProblemDetails, direction)
        bodies["default"] = {
            "description": "A problem: the request was not served, and why.",
            "content": {"application/problem+json": {"schema": component.ref}},
        }
        return bodies
