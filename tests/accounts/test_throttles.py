"""The limits on registering and signing in."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from pytest_django import Settings
from redis.connection import ConnectionPool
from rest_framework.test import APIClient

from accounts.models import User
from chatvista.foundation import throttles
from chatvista.foundation.addresses import address_of


def login(address: str, email: str = "nobody@example.org") -> Any:
    body = {"email": email, "password": "whatever it may be"}
    return APIClient(REMOTE_ADDR=address).post("/api/v1/auth/login", body, format="json")


@pytest.mark.django_db
def test_attempts_at_one_account_from_one_address_are_counted_together(settings: Settings) -> None:
    settings.LOGINS_PER_MINUTE = 3
    answers = [login("192.0.2.1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[0]["RateLimit-Policy"] == '"login";q=3;w=60'
    assert answers[0]["RateLimit"].startswith('"login";r=2;t=')
    assert answers[3].json()["code"] == "rate_limited"
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    assert answers[3]["RateLimit"].startswith('"login";r=0;t=')
    assert login("192.0.2.1", "NOBODY@example.org ").status_code == 429
    assert login("192.0.2.1", "somebody@example.org").status_code == 401
    assert login("192.0.2.2").status_code == 401


@pytest.mark.django_db
def test_no_other_spelling_of_an_address_is_counted_by_itself(settings: Settings, hana: User) -> None:
    settings.LOGINS_PER_MINUTE = 1
    assert login("192.0.2.7", "hana@example.org").status_code == 401
    for spelling in ("\uff48ana@example.org", "hana@example\uff0eorg", "\u3000HANA@example.org"):
        assert login("192.0.2.7", spelling).status_code == 429
    # No account at all, though it began like one.
    assert login("192.0.2.7", "hana@example.org" + " " * 600 + "x").status_code == 400


@pytest.mark.django_db
def test_the_addresses_of_one_network_are_counted_together(settings: Settings) -> None:
    settings.LOGINS_PER_MINUTE = 1
    assert [login(f"2001:db8:0:1::{number}").status_code for number in range(1, 3)] == [401, 429]
    assert login("2001:db8:0:2::1").status_code == 401


@pytest.mark.django_db
def test_registrations_are_counted_by_address(settings: Settings) -> None:
    settings.REGISTRATIONS_PER_MINUTE = 2

    def register(number: int, address: str) -> Any:
        body = {"email": f"person{number}@example.org", "password": "correct horse battery", "name": "Person"}
        return APIClient(REMOTE_ADDR=address).post("/api/v1/auth/register", body, format="json")

    assert [register(number, "192.0.2.3").status_code for number in range(3)] == [201, 201, 429]
    assert register(3, "192.0.2.4").status_code == 201
    assert User.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_concurrent_attempts_do_not_slip_through(settings: Settings) -> None:
    settings.LOGINS_PER_MINUTE = 5

    def attempt(_: int) -> int:
        try:
            return int(login("192.0.2.5").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(attempt, range(24)))
    assert outcomes == {401: 5, 429: 19}


@pytest.mark.django_db
def test_without_valkey_nobody_can_try_passwords_but_everything_else_works(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    nowhere = ConnectionPool.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(throttles, "_limiter", lambda: throttles.limiter_on(nowhere, prefix="nowhere"))
    for path in ("login", "register"):
        answer = APIClient().post(f"/api/v1/auth/{path}", {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer["Retry-After"]) > 0
    assert APIClient().post("/api/v1/auth/refresh", {"refresh": "x"}, format="json").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("email", [5, None, [], {}, "x" * 100_000])
def test_an_account_that_is_no_text_is_counted_and_refused(email: Any) -> None:
    assert login("192.0.2.6", email).status_code == 400


def test_behind_a_proxy_only_what_the_proxy_wrote_is_believed(settings: Settings) -> None:
    request = RequestFactory().get(
        "/", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}, REMOTE_ADDR="10.0.0.1"
    )
    settings.PLAIN_HTTP = False
    assert address_of(request) == "198.51.100.7"
    settings.PLAIN_HTTP = True
    assert address_of(request) == "10.0.0.1"
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="unix:")) == ""
