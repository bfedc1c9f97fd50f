"""The storeroom's status and orders to it, as operators see and give them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chatvista.foundation.serializers import JobSerializer
from chatvista.foundation.strict import FlagField, StrictSerializer
from storage_sync.inspecting.guards import FORCIBLE
from storage_sync.models import InspectionKind
from storage_sync.vocabulary import Category, SideName

REACHABLE = [SideName.LOCAL.value, SideName.CLOUD.value]


class CountsSerializer(serializers.Serializer[Any]):
    """Copies: `files` are present, with `bytes`; `to_be_made` are those of the others that somebody is to make."""

    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    pending = serializers.IntegerField()
    missing = serializers.IntegerField()
    corrupt = serializers.IntegerField()
    to_be_made = serializers.IntegerField()


class CategoryCountsSerializer(CountsSerializer):
    """Copies of one category."""

    category = serializers.ChoiceField(choices=Category.choices)


class SideStatusSerializer(CountsSerializer):
    """One side; ages in seconds, null where there is nothing that could be old."""

    side = serializers.ChoiceField(choices=SideName.choices)
    oldest_pending_seconds = serializers.FloatField(allow_null=True)
    oldest_unverified_seconds = serializers.FloatField(allow_null=True)
    categories = CategoryCountsSerializer(many=True)


class UploadCountsSerializer(serializers.Serializer[Any]):
    """Uploads that are not over."""

    open = serializers.IntegerField()
    bytes = serializers.IntegerField()
    announced_bytes = serializers.IntegerField()


class NodeStatusSerializer(serializers.Serializer[Any]):
    """One machine with a disk."""

    node = serializers.CharField()
    alive = serializers.BooleanField()
    heartbeat_seconds = serializers.FloatField()
    durable = serializers.BooleanField()
    free_bytes = serializers.IntegerField()
    total_bytes = serializers.IntegerField()


class UnknownCountsSerializer(serializers.Serializer[Any]):
    """Objects that no row explains."""

    waiting = serializers.IntegerField()
    quarantined = serializers.IntegerField()


class InspectionSerializer(serializers.Serializer[Any]):
    """One inspection; `verdicts` are `{side: {verdict: count}}`, `aborted` the guard that stopped it."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=InspectionKind.choices)
    node = serializers.CharField()
    began_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    dry_run = serializers.BooleanField()
    files = serializers.IntegerField()
    bytes_read = serializers.IntegerField()
    verdicts = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    aborted = serializers.CharField(allow_null=True)


class CopyErrorSerializer(serializers.Serializer[Any]):
    """Why copies are not made yet."""

    error = serializers.CharField()
    copies = serializers.IntegerField()


class StorageStatusSerializer(serializers.Serializer[Any]):
    """Where the storeroom stands, by the database's clock."""

    at = serializers.DateTimeField()
    local = serializers.ChoiceField(choices=["available", "unavailable"])
    cloud = serializers.ChoiceField(choices=["connected", "disconnected", "not_configured"])
    files = serializers.DictField(child=serializers.IntegerField())
    sides = SideStatusSerializer(many=True)
    uploads = UploadCountsSerializer()
    nodes = NodeStatusSerializer(many=True)
    unknown_objects = UnknownCountsSerializer()
    inspections = InspectionSerializer(many=True)
    errors = CopyErrorSerializer(many=True)  # type: ignore[assignment]  # named like DRF's own property


class ReconciliationOrderSerializer(StrictSerializer):
    """What to reconcile; everything by default. `force` names guards that are not to stop it."""

    sides = serializers.ListField(child=serializers.ChoiceField(choices=REACHABLE), required=False, min_length=1)
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=Category.choices), required=False, min_length=1
    )
    dry_run = FlagField(default=False)
    force = serializers.ListField(child=serializers.ChoiceField(choices=list(FORCIBLE)), required=False)


class ReconciliationOrderedSerializer(serializers.Serializer[Any]):
    """The work, and the id that its inspection has in the status."""

    job = JobSerializer()
    inspection = serializers.UUIDField()


class SyncOrderSerializer(StrictSerializer):
    """Nothing: all that is due is made."""


class SyncWokenSerializer(serializers.Serializer[Any]):
    """What the engine has before it."""

    copies = serializers.IntegerField()
    due = serializers.IntegerField()
    bytes = serializers.IntegerField()
