"""POST /auth/refresh: one winner, and a replay ends the session."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts import signing_in
from accounts.models import AuditEvent, Session, User
from accounts.origins import Origin
from accounts.tokens import TokenPair
from tests.factories.people import make_user


def refresh(token: Any) -> Any:
    return APIClient().post("/api/v1/auth/refresh", {"refresh": token}, format="json")


def opened(user: User) -> TokenPair:
    return signing_in.open_session(user=user, origin=Origin())


def me(access: str) -> int:
    return APIClient().get("/api/v1/users/me", headers={"Authorization": f"Bearer {access}"}).status_code


def test_a_token_is_exchanged_for_the_next_pair_of_the_same_session(hana: User) -> None:
    first = opened(hana)
    second = refresh(first.refresh)
    assert second.status_code == 200
    assert set(second.json()) == {"access", "refresh"}
    assert me(second.json()["access"]) == 200
    assert refresh(second.json()["refresh"]).status_code == 200
    assert Session.objects.count() == 1


def test_a_replay_is_refused_and_ends_the_whole_session(hana: User) -> None:
    first, other = opened(hana), opened(hana)
    second = refresh(first.refresh).json()
    replay = refresh(first.refresh)
    assert (replay.status_code, replay.json()["code"]) == (401, "token_reused")
    assert me(second["access"]) == 401
    assert refresh(second["refresh"]).json()["code"] == "token_reused"
    assert refresh(first.refresh).json()["code"] == "token_reused"
    assert AuditEvent.objects.filter(action="session.revoked", data__because="token_reused").count() == 1
    assert refresh(other.refresh).status_code == 200


def test_a_deactivated_user_gets_nothing(hana: User) -> None:
    pair = opened(hana)
    User.objects.update(is_active=False)
    assert refresh(pair.refresh).json()["code"] == "token_invalid"
    assert me(pair.access) == 401


def test_a_deleted_user_gets_nothing(hana: User) -> None:
    pair = opened(hana)
    hana.delete()
    assert refresh(pair.refresh).json()["code"] == "token_invalid"
    assert me(pair.access) == 401


def test_an_access_token_does_not_pass_for_a_refresh_token_nor_the_other_way_round(hana: User) -> None:
    pair = opened(hana)
    assert refresh(pair.access).json()["code"] == "token_invalid"
    assert me(pair.refresh) == 401
    assert refresh(pair.refresh).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("value", [None, 5, [], {}, "", "x" * 5000])
def test_what_cannot_be_a_token_is_a_400(value: Any) -> None:
    answer = refresh(value)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["refresh"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_of_concurrent_refreshes_of_one_token_exactly_one_wins(_round: int) -> None:
    several = 6
    token = opened(make_user()).refresh
    start = Barrier(several)

    def race(_: int) -> str:
        try:
            start.wait()
            answer = refresh(token)
            return "won" if answer.status_code == 200 else answer.json()["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(several) as pool:
        outcomes = Counter(pool.map(race, range(several)))
    assert outcomes == {"won": 1, "token_reused": several - 1}
    assert Session.objects.get().revoked_because == "token_reused"
    assert AuditEvent.objects.filter(action="session.revoked").count() == 1
