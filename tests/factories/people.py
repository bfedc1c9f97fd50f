"""People and organizations for tests. The four everybody knows are fixtures in tests/conftest.py."""

from __future__ import annotations

from typing import Any

import factory
from rest_framework.test import APIClient

from accounts import signing_in
from accounts.models import Organization, User
from accounts.models.user import Role
from accounts.origins import Origin

PASSWORD = "correct horse battery staple"


class OrganizationFactory(factory.django.DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda number: f"Organization {number}")


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A member of an organization of their own, whose password is PASSWORD."""

    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    name = factory.Sequence(lambda number: f"Person {number}")
    role = Role.MEMBER
    organization = factory.SubFactory(OrganizationFactory)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(password=kwargs.pop("password", PASSWORD), **kwargs)


def api_for(user: User | None) -> APIClient:
    """A client that sends a real access token of a new session, or none for nobody."""
    client = APIClient()
    if user is not None:
        pair = signing_in.open_session(user=user, origin=Origin(address="127.0.0.1", user_agent="tests"))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    return client
