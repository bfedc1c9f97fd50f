"""The person behind a request, with their type."""

from __future__ import annotations

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.models import Session, User


def person(request: Request) -> User:
    """The user who is asking; NotAuthenticated (401) where nobody is known."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def session_of(request: Request) -> Session:
    """The session whose access token came with the request; NotAuthenticated (401) without one."""
    if not isinstance(request.auth, Session):
        raise NotAuthenticated
    return request.auth
