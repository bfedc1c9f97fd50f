"""Announcing what somebody did. Who keeps the record listens; the cellar does not know them.

The announcement is made inside the caller's transaction, so the record exists exactly when the deed does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from django.dispatch import Signal

announced = Signal()
"""Sent with `event`, an `Event`."""

history_wanted = Signal()
"""Sent with `target_id`; who keeps the record answers with what it has about that thing, oldest first."""


@dataclass(frozen=True, slots=True)
class Event:
    """Who did what to which thing. `actor` is None for the system itself; `tenant_id` None outside any organization."""

    action: str
    target_kind: str
    target_id: uuid.UUID | None
    actor: uuid.UUID | None
    tenant_id: uuid.UUID | None
    request_id: str
    address: str
    data: dict[str, Any] = field(default_factory=dict)


def record(
    *,
    action: str,
    target_kind: str,
    target_id: uuid.UUID | None,
    actor: uuid.UUID | None = None,
    tenant_id: uuid.UUID | None = None,
    **data: Any,
) -> None:
    """Announce one deed, e.g. `record(action="recording.read", target_kind="recording", ...)`.

    `data` holds plain JSON values and never a secret. Request id and address come from the request being served.
    """
    bound = structlog.contextvars.get_contextvars()
    announced.send(
        sender=None,
        event=Event(
            action=action,
            target_kind=target_kind,
            target_id=target_id,
            actor=actor,
            tenant_id=tenant_id,
            request_id=str(bound.get("request_id", "")),
            address=str(bound.get("ip", "")),
            data=data,
        ),
    )


def history(target_id: uuid.UUID) -> list[dict[str, Any]]:
    """What was done to one thing, oldest first, as whoever keeps the record has it."""
    told: list[dict[str, Any]] = []
    for _, entries in history_wanted.send(sender=None, target_id=target_id):
        told += cast("list[dict[str, Any]]", entries)
    return told
