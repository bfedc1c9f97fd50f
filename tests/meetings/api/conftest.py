"""A meeting that Hana hosts and Pavel joins, and clients for the cast."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from meetings.models import Meeting
from storage_sync.uploading import holding
from tests.meetings import making

ApiFor = Callable[[User | None], APIClient]


@pytest.fixture
def meeting(hana: User, pavel: User) -> Meeting:
    """Hana hosts, Pavel participates."""
    return making.meeting_of(hana, pavel)


@pytest.fixture
def as_hana(api_for: ApiFor, hana: User) -> APIClient:
    """Hana's client."""
    return api_for(hana)


@pytest.fixture
def as_pavel(api_for: ApiFor, pavel: User) -> APIClient:
    """Pavel's client."""
    return api_for(pavel)


@pytest.fixture
def as_olga(api_for: ApiFor, olga: User) -> APIClient:
    """The outsider's client."""
    return api_for(olga)


@pytest.fixture
def patient_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of uploads that no heartbeat has to renew: it could not see into the transaction of a test."""
    monkeypatch.setattr(holding, "LEASE_SECONDS", 600.0)
