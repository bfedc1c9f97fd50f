"""One sign-in on one device: the family that all its refresh tokens belong to."""

from __future__ import annotations

import uuid

from django.db import models

from accounts.models.user import User
from chatvista.foundation.records import Record


class Revocation(models.TextChoices):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    TOKEN_REUSED = "token_reused"  # noqa: S105  a reason, no secret
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  a reason, no secret
    BY_OPERATOR = "by_operator"


class Session(Record):
    """Lives until it expires unused or is revoked. `jti` names the one refresh token that still works."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    jti = models.UUIDField(default=uuid.uuid4)
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=20, choices=Revocation.choices, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoked_because="")
                | models.Q(revoked_at__isnull=False, revoked_because__in=Revocation.values),
                name="a_revoked_session_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.id}"
