"""Keeping the record of what is announced, in the transaction in which it happens."""

from __future__ import annotations

import uuid
from typing import Any

from accounts.models import AuditEvent
from chatvista.foundation import audit

MOST_TOLD = 200
_TOLD = ("occurred_at", "actor", "action", "request_id", "data")


def listen() -> None:
    """Write every announced event from now on. Calling it twice changes nothing."""
    audit.announced.connect(_write, dispatch_uid="accounts.auditing")
    audit.history_wanted.connect(_history, dispatch_uid="accounts.auditing")


def _write(event: audit.Event, **_: Any) -> None:
    AuditEvent.objects.create(
        actor=event.actor,
        tenant_id=event.tenant_id,
        action=event.action,
        target_kind=event.target_kind,
        target_id=event.target_id,
        request_id=event.request_id[:128],
        address=event.address[:45],
        data=event.data,
    )


def _history(target_id: uuid.UUID, **_: Any) -> list[dict[str, Any]]:
    found = AuditEvent.objects.filter(target_id=target_id).order_by("-id").values(*_TOLD)[:MOST_TOLD]
    return list(reversed(found))
