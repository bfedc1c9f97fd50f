"""Signing in, staying signed in, signing out. Making the account is `registering`."""

from __future__ import annotations

import uuid
from datetime import datetime

import structlog
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts import tokens
from accounts.models import Session, User
from accounts.models.session import Revocation
from accounts.models.user import normalised_email
from accounts.origins import Origin
from accounts.tokens import TokenPair
from chatvista.foundation import audit
from chatvista.foundation.problems import Problem

logger = structlog.get_logger(__name__)


def sign_in(*, email: str, password: str, origin: Origin) -> tuple[User, TokenPair]:
    """Open a session for whoever knows the password; Problem 401 `invalid_credentials` otherwise.

    An unknown address, a wrong password and a deactivated account get the same answer after the same work.
    """
    user = User.objects.select_related("organization").filter(email=normalised_email(email)).first()
    if user is None:
        make_password(password)  # as long as checking one takes, so that the clock does not tell who has an account
        is_known = False
    else:
        is_known = user.check_password(password)
    if user is None or not is_known or not user.is_active:
        logger.info("sign_in_refused", user_id=str(user.pk) if user else None)
        raise Problem("invalid_credentials", "There is no account with this address and password.", status=401)
    with transaction.atomic():
        return user, open_session(user=user, origin=origin)


def open_session(*, user: User, origin: Origin) -> TokenPair:
    """A new session of a user who has proven who they are, in the caller's transaction."""
    now = timezone.now()
    session = Session.objects.create(
        user=user, address=origin.address, user_agent=origin.user_agent, last_used_at=now, expires_at=_expiry(now)
    )
    _record("session.opened", session)
    return tokens.issue(session=session)


def refresh(*, token: str) -> TokenPair:
    """Exchange a refresh token for the next pair, once.

    Raises Problem 401: `token_invalid`, `token_expired`, or `token_reused` when the token had been exchanged before.
    Then one of its two holders is a thief, nobody knows which, and the whole session is revoked.
    """
    claims = tokens.read_refresh(token)
    now = timezone.now()
    with transaction.atomic():
        # Compare and swap in one statement on one table. With a join in the WHERE this becomes a subquery that is not
        # evaluated again after waiting for the row's lock, and several concurrent requests win.
        has_won = Session.objects.filter(pk=claims.session_id, jti=claims.jti, revoked_at__isnull=True).update(
            jti=uuid.uuid4(), last_used_at=now, expires_at=_expiry(now), updated_at=now
        )
        if has_won:
            session = Session.objects.select_related("user").get(pk=claims.session_id)
            if not session.user.is_active:
                raise tokens.invalid()
            return tokens.issue(session=session)
    # The transaction above is over: what follows stays, although the request is refused.
    raise _refusal(claims)


def sign_out(*, session: Session) -> None:
    """End a session at once, with its access tokens. Ending it twice changes nothing."""
    revoke(session=session, because=Revocation.SIGNED_OUT)


def revoke(*, session: Session, because: Revocation, actor: uuid.UUID | None = None) -> bool:
    """End a session for a reason, by its own user unless `actor` says otherwise; returns whether it was still alive."""
    now = timezone.now()
    with transaction.atomic():
        alive = Session.objects.filter(pk=session.pk, revoked_at__isnull=True)
        is_done = bool(alive.update(revoked_at=now, revoked_because=because, updated_at=now))
        if is_done:
            _record("session.revoked", session, actor=actor, because=because.value)
    return is_done


def revoke_all(*, user: User, because: Revocation, actor: uuid.UUID | None = None) -> int:
    """End every living session of a user, as after a change of password; returns how many there were."""
    alive = Session.objects.select_related("user").filter(user=user, revoked_at__isnull=True)
    return sum(revoke(session=session, because=because, actor=actor) for session in alive)


def _refusal(claims: tokens.Claims) -> Problem:
    session = Session.objects.select_related("user").filter(pk=claims.session_id, user_id=claims.user_id).first()
    if session is None:
        return tokens.invalid()
    if session.jti == claims.jti and session.revoked_because != Revocation.TOKEN_REUSED:
        return tokens.invalid()  # the latest token of a session that was ended in order
    if revoke(session=session, because=Revocation.TOKEN_REUSED):
        logger.warning("refresh_token_reused", session_id=str(session.pk), user_id=str(session.user_id))
    return Problem(
        "token_reused", "This token had been used before, so its session has been ended; sign in again.", status=401
    )


def _expiry(now: datetime) -> datetime:
    """When a session ends if it is not used again."""
    expires_at: datetime = now + settings.REFRESH_TOKEN_LIFETIME
    return expires_at


def _record(action: str, session: Session, *, actor: uuid.UUID | None = None, **data: str) -> None:
    audit.record(
        action=action,
        target_kind="session",
        target_id=session.pk,
        actor=actor or session.user_id,
        tenant_id=session.user.organization_id,
        **data,
    )
