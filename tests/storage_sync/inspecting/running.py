"""What tests of inspections are made of: runs that must not be aborted, and things behind the ledger's back."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEvent
from storage_sync.inspecting.reconciling import Order, Outcome, reconcile
from storage_sync.models import StoredFile
from storage_sync.sides.local import local
from tests.storage_sync.making import WORDS, put_in_cloud, space, store


def run(**order: Any) -> Outcome:
    """A reconciliation that no guard stops."""
    outcome = reconcile(Order(**order))
    assert outcome.inspection.aborted == ""
    return outcome


def counts(outcome: Outcome, side: str) -> dict[str, int]:
    """{verdict: count} of one side."""
    found: dict[str, int] = outcome.inspection.verdicts[side]
    return found


def some(number: int = 3) -> list[StoredFile]:
    """Files that differ."""
    return [store(WORDS + bytes([at])) for at in range(number)]


def cloud_keys() -> list[str]:
    """Everything in the Space but the canary."""
    return [found.key for found in space().page().found if not found.key.startswith("canary/")]


def audited() -> list[str]:
    """What the audit log was told."""
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def stray(category: str = "recordings") -> str:
    """Bytes of nobody on both sides, under a key that might be ours."""
    key = f"{category}/2026/11/0190a0d0-0000-7000-8000-000000000000/{'a' * 32}.flac"
    put_in_cloud(key, b"nobody's")
    path = local().path(key)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nobody's")
    return key
