"""What the two tokens hold and how they are read. Whether their session still lives is asked elsewhere.

Access and refresh tokens are signed with different secrets, so that neither can pass for the other even if a
check of the type claim were forgotten.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.models import Session
from chatvista.foundation.problems import Problem

LONGEST_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client holds after signing in: both tokens, encoded."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is, of which session, and its own name."""

    user_id: uuid.UUID
    session_id: uuid.UUID
    jti: uuid.UUID


class AccessToken(simplejwt.AccessToken):
    """Signed with JWT_SECRET; opens the API for a few minutes."""


class RefreshToken(simplejwt.RefreshToken):
    """Signed with JWT_REFRESH_SECRET; exchanged once for the next pair."""

    @property
    def token_backend(self) -> TokenBackend:
        """The signer of refresh tokens alone."""
        return _refresh_backend(settings.JWT_REFRESH_SECRET)


@lru_cache(maxsize=4)
def _refresh_backend(secret: str) -> TokenBackend:
    return TokenBackend(settings.SIMPLE_JWT["ALGORITHM"], secret, issuer=settings.SIMPLE_JWT["ISSUER"])


def issue(*, session: Session) -> TokenPair:
    """The pair that belongs to a session at its current `jti`."""
    access, refresh = AccessToken(), RefreshToken()
    for token in (access, refresh):
        token["sub"] = str(session.user_id)
        token["sid"] = str(session.pk)
    refresh["jti"] = str(session.jti)
    return TokenPair(access=str(access), refresh=str(refresh))


def read_access(raw: str) -> Claims:
    """The claims of an access token; Problem 401 `token_invalid` or `token_expired`."""
    return _read(AccessToken, raw)


def read_refresh(raw: str) -> Claims:
    """The claims of a refresh token; Problem 401 `token_invalid` or `token_expired`."""
    return _read(RefreshToken, raw)


def invalid() -> Problem:
    """The 401 for a token that never worked or no longer does."""
    return Problem("token_invalid", "This token does not work here; sign in again.", status=401)


def _read(kind: type[simplejwt.Token], raw: str) -> Claims:
    if len(raw) > LONGEST_TOKEN:
        raise invalid()
    try:
        token = kind(raw)  # type: ignore[arg-type]  # the library annotates its encoded token as a Token
        return Claims(user_id=uuid.UUID(token["sub"]), session_id=uuid.UUID(token["sid"]), jti=uuid.UUID(token["jti"]))
    except ExpiredTokenError as error:
        raise Problem("token_expired", "This token has expired; refresh it or sign in again.", status=401) from error
    # A header of a thousand nested lists is parsed before any signature is checked, hence RecursionError.
    except (TokenError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise invalid() from error
