"""What a person is to their organization, as the storeroom asks."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.models.user import Role
from storage_sync.ownership import Standing

ADMINISTERS = frozenset({Role.OWNER, Role.ADMIN})
READS_RECORDS = ADMINISTERS | {Role.AUDITOR}


def standing(user: Any) -> Standing | None:
    """Owners and admins administer, they and auditors read the records; None outside every organization."""
    if not isinstance(user, User) or user.organization_id is None:
        return None
    return Standing(user.organization_id, user.role in ADMINISTERS, user.role in READS_RECORDS)
