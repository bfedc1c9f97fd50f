"""The cast that every test may call in: Hana hosts, Pavel participates, Olga is an outsider, Oscar operates."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings
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


@pytest.fixture
def storeroom(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Both sides, empty and for this test alone: a bucket on the real S3 server and a folder, whose path it gives."""
    from storage_sync.disk import verifying  # noqa: PLC0415  pure tests can run with pytest-django switched off
    from storage_sync.reporting import probing  # noqa: PLC0415  pure tests can run with pytest-django switched off
    from storage_sync.sides.connecting import client_of, configured_space  # noqa: PLC0415

    settings.STORAGE_PATH = tmp_path / "storage"
    settings.SPACES_BUCKET = f"test-{uuid.uuid4().hex[:20]}"
    settings.DISK_RESERVE_BYTES = 0
    spaces = settings.STORAGES["spaces"]
    settings.STORAGES = {
        **settings.STORAGES,
        "spaces": {**spaces, "OPTIONS": {**spaces["OPTIONS"], "bucket_name": settings.SPACES_BUCKET}},
    }
    space = configured_space()
    assert space is not None
    client = client_of(space)
    client.create_bucket(Bucket=space.bucket)
    probing.forget()
    verifying.forget_everything()
    yield tmp_path / "storage"
    while found := client.list_objects_v2(Bucket=space.bucket).get("Contents"):
        for item in found:
            client.delete_object(Bucket=space.bucket, Key=item["Key"])
    # The S3 server of the tests keeps empty folders of uploads that were aborted, and calls the bucket not empty.
    with contextlib.suppress(client.exceptions.ClientError):
        client.delete_bucket(Bucket=space.bucket)
