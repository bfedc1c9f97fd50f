"""What somebody did, as it was announced. Rows are added and never changed."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from chatvista.foundation.records import uuid7


class AuditEvent(models.Model):
    """One deed. Actor and target are plain ids: the record outlives whom and what it is about."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    occurred_at = models.DateTimeField(auto_now_add=True)
    actor = models.UUIDField(null=True, db_index=True)
    tenant_id = models.UUIDField(null=True)
    action = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=40)
    target_id = models.UUIDField(null=True, db_index=True)
    request_id = models.CharField(max_length=128, blank=True)
    address = models.CharField(max_length=45, blank=True)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [
            models.Index(fields=["tenant_id", "-id"], name="audit_of_a_tenant"),
            models.Index(fields=["action", "-id"], name="audit_of_an_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} at {self.occurred_at:%Y-%m-%d %H:%M:%S}"
