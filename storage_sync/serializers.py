"""The ledger of one file as JSON."""

from __future__ import annotations

from rest_framework import serializers

from storage_sync.models import Copy, StoredFile


class CopySerializer(serializers.ModelSerializer[Copy]):
    """Where one copy is and when it was last found right."""

    class Meta:
        model = Copy
        fields = ("side", "node", "state", "verified_at")
        read_only_fields = fields


class FileSerializer(serializers.ModelSerializer[StoredFile]):
    """What a file is, how durable, and where its copies are."""

    durability = serializers.ChoiceField(choices=["both", "cloud", "local", "none"], read_only=True)
    copies = CopySerializer(many=True, read_only=True)
    backed_up_in = serializers.SerializerMethodField()

    class Meta:
        model = StoredFile
        fields = ("id", "category", "size", "sha256", "state", "durability", "copies", "backed_up_in")
        read_only_fields = fields

    def get_backed_up_in(self, file: StoredFile) -> list[str]:
        """Names of the backup sets that hold it."""
        return []
