"""POST /auth/login and /auth/logout."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import signing_in
from accounts.models import AuditEvent, Session, User
from accounts.origins import Origin
from chatvista.foundation.problems import Problem
from chatvista.settings import base
from tests.factories.people import PASSWORD

ARGON2 = "accounts.hashers.BoundedArgon2"


def login(**body: Any) -> Any:
    return APIClient().post("/api/v1/auth/login", body, format="json")


def test_the_right_password_opens_a_session_that_knows_where_it_came_from(hana: User) -> None:
    answer = APIClient().post(
        "/api/v1/auth/login",
        {"email": "HANA@example.org", "password": PASSWORD},
        format="json",
        headers={"User-Agent": "Browser/1.0"},
    )
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(hana.pk)
    session = Session.objects.get()
    assert (session.user_agent, session.address) == ("Browser/1.0", "127.0.0.1")
    assert AuditEvent.objects.get().action == "session.opened"


@pytest.mark.parametrize("case", ["wrong password", "unknown address", "deactivated"])
def test_every_refusal_looks_the_same(hana: User, case: str) -> None:
    body = {"email": hana.email, "password": PASSWORD}
    if case == "wrong password":
        body["password"] = PASSWORD.upper()
    elif case == "unknown address":
        body["email"] = "nobody@example.org"
    else:
        User.objects.update(is_active=False)
    answer = login(**body)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json() == {
        "type": "urn:chatvista:problem:invalid_credentials",
        "title": "Unauthorized",
        "status": 401,
        "detail": "There is no account with this address and password.",
        "code": "invalid_credentials",
    }
    assert not Session.objects.exists()


@pytest.mark.parametrize("field", ["email", "password"])
@pytest.mark.parametrize("value", [None, 5, True, [], {}, "", "x" * 1_000_000])
def test_a_value_of_the_wrong_type_or_size_is_a_400_that_names_it(hana: User, field: str, value: Any) -> None:
    answer = login(**{"email": hana.email, "password": PASSWORD, field: value})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_an_unknown_address_takes_as_long_as_a_wrong_password(hana: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [ARGON2]
    hana.set_password(PASSWORD)
    hana.save()

    def cost_of(email: str) -> float:
        began = time.thread_time()
        with pytest.raises(Problem):
            signing_in.sign_in(email=email, password="not the password", origin=Origin())
        return time.thread_time() - began

    cost_of(hana.email)
    # By turns, so that a machine that slows down slows both.
    ratios = [cost_of(hana.email) / cost_of("nobody@example.org") for _ in range(9)]
    assert 0.6 < statistics.median(ratios) < 1.6


def test_passwords_are_hashed_with_argon2_at_a_bounded_cost(settings: Settings) -> None:
    assert base.PASSWORD_HASHERS == [ARGON2]
    settings.PASSWORD_HASHERS = [ARGON2]
    assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_of_another_cost_works_and_is_renewed(hana: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    hana.set_password(PASSWORD)
    hana.save()
    settings.PASSWORD_HASHERS = [ARGON2]
    assert login(email=hana.email, password=PASSWORD).status_code == 200
    hana.refresh_from_db()
    assert "m=19456" in hana.password


def test_signing_out_stops_both_tokens_at_once_and_only_this_session(hana: User) -> None:
    here, elsewhere = (login(email=hana.email, password=PASSWORD).json() for _ in range(2))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {here['access']}")
    assert client.get("/api/v1/users/me").status_code == 200
    assert client.post("/api/v1/auth/logout").status_code == 204
    assert client.get("/api/v1/users/me").status_code == 401
    refused = APIClient().post("/api/v1/auth/refresh", {"refresh": here["refresh"]}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {elsewhere['access']}")
    assert client.get("/api/v1/users/me").status_code == 200
    ended = Session.objects.get(revoked_at__isnull=False)
    assert ended.revoked_because == "signed_out"
    assert AuditEvent.objects.filter(action="session.revoked", target_id=ended.pk).count() == 1


def test_nobody_cannot_sign_out(db: None, api_for: Callable[[User | None], APIClient]) -> None:
    answer = api_for(None).post("/api/v1/auth/logout")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
