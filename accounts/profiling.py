"""What people change about themselves."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from chatvista.foundation import audit


def change_profile(*, user: User, name: str | None = None) -> User:
    """Give a user another name; None leaves it as it is."""
    if name is None or name == user.name:
        return user
    with transaction.atomic():
        user.name = name
        user.save(update_fields=["name", "updated_at"])
        audit.record(
            action="user.changed",
            target_kind="user",
            target_id=user.pk,
            actor=user.pk,
            tenant_id=user.organization_id,
            changed=["name"],
        )
    return user
