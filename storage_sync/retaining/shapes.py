"""Policies, plans, holds and deletions as JSON, and what clients may send."""

from __future__ import annotations

import unicodedata
from typing import Any

from rest_framework import serializers

from chatvista.foundation.strict import CountField, IdField, StrictSerializer, WordField
from storage_sync.models import Deletion, LegalHold, RetentionPolicy
from storage_sync.models.retention import LONGEST_DAYS
from storage_sync.vocabulary import Category


class ReasonField(serializers.CharField):
    """A sentence of one line: it ends in logs."""

    default_error_messages = {"not_one_line": "Must be one line without control characters."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=500, **options)

    def to_internal_value(self, data: Any) -> str:
        """The trimmed sentence; a number is none."""
        if not isinstance(data, str):
            self.fail("invalid")
        line = str(super().to_internal_value(data))
        if any(unicodedata.category(letter) == "Cc" for letter in line):
            self.fail("not_one_line")
        return line


class _DaysField(CountField):
    def __init__(self) -> None:
        super().__init__(
            min_value=1, max_value=LONGEST_DAYS, allow_null=True, required=False, help_text="null is never."
        )  # fmt: skip


class RetentionPolicySerializer(serializers.ModelSerializer[RetentionPolicy]):
    """A policy. `organization` is null for the one that is valid where an organization has none of its own."""

    organization = serializers.UUIDField(source="tenant_id", allow_null=True, read_only=True)

    class Meta:
        model = RetentionPolicy
        fields = (
            "id", "organization", "category", "archive_after_days", "purge_after_days", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class PolicyDaysSerializer(StrictSerializer):
    """The days of a policy."""

    archive_after_days = _DaysField()
    purge_after_days = _DaysField()


class NewPolicySerializer(PolicyDaysSerializer):
    """A new policy, of one's own organization; operators name another, or null for everybody."""

    category = WordField(choices=Category.choices)
    organization = IdField(required=False, allow_null=True)


class LegalHoldSerializer(serializers.ModelSerializer[LegalHold]):
    """Why a file must not be purged, and since when."""

    since = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = LegalHold
        fields = ("reason", "since", "is_operators")
        read_only_fields = fields


class HoldReasonSerializer(StrictSerializer):
    """What a hold is put for."""

    reason = ReasonField()


class DeletionSerializer(serializers.ModelSerializer[Deletion]):
    """A file that is removed for good: irrevocably since `begun_at`, proven to be gone at `completed_at`."""

    file = serializers.UUIDField(source="file_id", read_only=True)
    organization = serializers.UUIDField(source="tenant_id", allow_null=True, read_only=True)
    policy = serializers.UUIDField(source="policy_id", allow_null=True, read_only=True)

    class Meta:
        model = Deletion
        fields = (
            "id", "file", "organization", "category", "size", "sha256", "stored_at", "archived_at", "begun_at",
            "completed_at", "reason", "policy",
        )  # fmt: skip
        read_only_fields = fields


class AmountSerializer(serializers.Serializer[Any]):
    """How many files, of how many bytes."""

    files = serializers.IntegerField()
    bytes = serializers.IntegerField()


class DueFileSerializer(serializers.Serializer[Any]):
    """A file and when it is due."""

    file = serializers.UUIDField(source="file.pk")
    category = serializers.CharField(source="file.category")
    name = serializers.CharField(source="file.name")
    size = serializers.IntegerField(source="file.size")
    due_at = serializers.DateTimeField()
    policy = serializers.UUIDField(source="policy_id")


class UpcomingSerializer(serializers.Serializer[Any]):
    """Due `now`, due `later` within the days looked ahead, and the `first` hundred of both."""

    now = AmountSerializer()
    later = AmountSerializer()
    first = DueFileSerializer(many=True)


class PlanSerializer(serializers.Serializer[Any]):
    """What the policies would do. `held` would be purged, were it not under legal hold."""

    as_of = serializers.DateTimeField()
    days = serializers.IntegerField()
    archive = UpcomingSerializer()
    purge = UpcomingSerializer()
    held = AmountSerializer()
