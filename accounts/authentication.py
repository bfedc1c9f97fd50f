"""Who is asking: the access token in the Authorization header, held against its living session."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts import tokens
from accounts.models import Session, User


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; `request.user` is the User, `request.auth` the Session."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        """User and session of the token; None without a bearer token; Problem 401 where it does not hold.

        One query on every request buys that signing out and deactivating work at once.
        """
        scheme, _, raw = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        claims = tokens.read_access(raw.strip().decode("latin-1"))
        session = (
            Session.objects.select_related("user__organization")
            .filter(
                pk=claims.session_id,
                user_id=claims.user_id,
                user__is_active=True,
                revoked_at__isnull=True,
                expires_at__gt=timezone.now(),
            )
            .first()
        )
        if session is None:
            raise tokens.invalid()
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        """The challenge that makes DRF answer 401 and not 403."""
        return 'Bearer realm="api"'
