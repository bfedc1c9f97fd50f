"""People and organizations for tests. The four everybody knows are fixtures in tests/conftest.py."""

from __future__ import annotations

import itertools
from typing import Any

from rest_framework.test import APIClient

from accounts import signing_in
from accounts.models import Organization, User
from accounts.origins import Origin

PASSWORD = "correct horse battery staple"
_number = itertools.count(1)


def make_organization(*, name: str | None = None, **facts: Any) -> Organization:
    """An organization without members."""
    return Organization.objects.create(name=name or f"Organization {next(_number)}", **facts)


def make_user(*, email: str | None = None, password: str = PASSWORD, **facts: Any) -> User:
    """A member of an organization of their own unless the facts say otherwise; the password is PASSWORD."""
    number = next(_number)
    facts = {"name": f"Person {number}"} | facts
    if "organization" not in facts:
        facts["organization"] = make_organization()
    return User.objects.create_user(email=email or f"person{number}@example.org", password=password, **facts)


def api_for(user: User | None) -> APIClient:
    """A client that sends a real access token of a new session, or none for nobody."""
    client = APIClient()
    if user is not None:
        pair = signing_in.open_session(user=user, origin=Origin(address="127.0.0.1", user_agent="tests"))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    return client
