"""The cast that every test may call in: Hana hosts, Pavel participates, Olga is an outsider, Oscar operates."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import User


def _people() -> ModuleType:
    from tests.factories import people  # noqa: PLC0415  pure tests can run with pytest-django switched off

    return people


@pytest.fixture
def api_for() -> Callable[[User | None], APIClient]:
    """Call it with a user, or None for nobody, to get a client with a real access token."""
    give: Callable[[User | None], APIClient] = _people().api_for
    return give


@pytest.fixture
def hana(db: None) -> User:
    """Hosts meetings; owns Harbour."""
    harbour = _people().make_organization(name="Harbour")
    user: User = _people().make_user(email="hana@example.org", name="Hana", role="owner", organization=harbour)
    return user


@pytest.fixture
def pavel(hana: User) -> User:
    """Participates; a member of Hana's organization."""
    user: User = _people().make_user(email="pavel@example.org", name="Pavel", organization=hana.organization)
    return user


@pytest.fixture
def olga(db: None) -> User:
    """An outsider: owns an organization of her own."""
    elsewhere = _people().make_organization(name="Elsewhere")
    user: User = _people().make_user(email="olga@example.net", name="Olga", role="owner", organization=elsewhere)
    return user


@pytest.fixture
def oscar(db: None) -> User:
    """Operates the service; belongs to no organization."""
    user: User = _people().make_user(
        email="oscar@example.com", name="Oscar", organization=None, is_staff=True, is_superuser=True
    )
    return user
