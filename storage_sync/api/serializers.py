"""The ledger of one file as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from storage_sync.models import Copy, StoredFile
from storage_sync.retaining.holding import current_hold
from storage_sync.retaining.shapes import LegalHoldSerializer


class CopySerializer(serializers.ModelSerializer[Copy]):
    """Where one copy is and when it was last found right."""

    class Meta:
        model = Copy
        fields = ("side", "node", "state", "verified_at")
        read_only_fields = fields


class FileSerializer(serializers.ModelSerializer[StoredFile]):
    """What a file is, how durable, and where its copies are."""

    durability = serializers.ChoiceField(choices=["both", "cloud", "local", "none"], read_only=True)
    verified = serializers.BooleanField(source="is_verified", read_only=True)
    copies = CopySerializer(many=True, read_only=True)
    legal_hold = serializers.SerializerMethodField()
    backed_up_in = serializers.SerializerMethodField()

    class Meta:
        model = StoredFile
        fields = (
            "id", "category", "size", "sha256", "verified", "state", "durability", "copies", "legal_hold",
            "backed_up_in",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(LegalHoldSerializer(allow_null=True))
    def get_legal_hold(self, file: StoredFile) -> dict[str, Any] | None:
        """Why it must not be purged, or null."""
        hold = current_hold(file)
        return None if hold is None else dict(LegalHoldSerializer(hold).data)

    def get_backed_up_in(self, file: StoredFile) -> list[str]:
        """Names of the backup sets that hold it."""
        return []
