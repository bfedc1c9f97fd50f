"""The cast that every test may call in, and what holds for all tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from accounts.models import User


@pytest.fixture(autouse=True)
def _generous_limits(settings: Settings) -> None:
    """A suite registers more often than people do; tests of limits set their own."""
    settings.REGISTRATIONS_PER_MINUTE = 100_000
    settings.LOGINS_PER_MINUTE = 100_000


@pytest.fixture
def api_for() -> Callable[[User | None], APIClient]:
    """Call it with a user, or None for nobody, to get a client with a real access token."""
    from tests.factories import people

    return people.api_for


@pytest.fixture
def hana(db: None) -> User:
    """Hosts meetings; owns Harbour."""
    from tests.factories.people import OrganizationFactory, UserFactory

    harbour = OrganizationFactory(name="Harbour")
    return UserFactory(email="hana@example.org", name="Hana", role="owner", organization=harbour)


@pytest.fixture
def pavel(hana: User) -> User:
    """Participates; a member of Hana's organization."""
    from tests.factories.people import UserFactory

    return UserFactory(email="pavel@example.org", name="Pavel", organization=hana.organization)


@pytest.fixture
def olga(db: None) -> User:
    """An outsider: owns an organization of her own."""
    from tests.factories.people import OrganizationFactory, UserFactory

    elsewhere = OrganizationFactory(name="Elsewhere")
    return UserFactory(email="olga@example.net", name="Olga", role="owner", organization=elsewhere)


@pytest.fixture
def oscar(db: None) -> User:
    """Operates the service; belongs to no organization."""
    from tests.factories.people import UserFactory

    return UserFactory(email="oscar@example.com", name="Oscar", organization=None, is_staff=True, is_superuser=True)
