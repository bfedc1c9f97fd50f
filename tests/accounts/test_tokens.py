"""What a token must be to open anything."""

from __future__ import annotations

import base64
import json
import time
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import signing_in
from accounts.models import Session, User
from accounts.origins import Origin
from accounts.tokens import TokenPair


def opened(user: User) -> TokenPair:
    return signing_in.open_session(user=user, origin=Origin())


def me(token: str) -> Any:
    return APIClient().get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})


def claims_of(user: User) -> dict[str, Any]:
    session = Session.objects.create(user=user, last_used_at="2026-01-01T00:00Z", expires_at="2100-01-01T00:00Z")
    return {
        "token_type": "access", "sub": str(user.pk), "sid": str(session.pk), "jti": uuid.uuid4().hex,
        "iss": "chatvista", "iat": int(time.time()), "exp": int(time.time()) + 60,
    }  # fmt: skip


def test_each_token_verifies_with_its_own_secret_alone(hana: User, settings: Settings) -> None:
    pair = opened(hana)
    for token, right, wrong in [
        (pair.access, settings.JWT_SECRET, settings.JWT_REFRESH_SECRET),
        (pair.refresh, settings.JWT_REFRESH_SECRET, settings.JWT_SECRET),
    ]:
        claims = jwt.decode(token, right, algorithms=["HS256"], issuer="chatvista")
        assert claims["sub"] == str(hana.pk)
        assert claims["sid"] == str(Session.objects.get().pk)
        assert claims["jti"]
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, wrong, algorithms=["HS256"])


def test_a_token_made_with_the_right_secret_and_claims_opens_the_api(hana: User, settings: Settings) -> None:
    assert me(jwt.encode(claims_of(hana), settings.JWT_SECRET)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"token_type": "refresh"}, {"token_type": None}, {"iss": "somebody else"}, {"iss": None}, {"sub": "x"},
        {"sub": None}, {"sid": None}, {"sid": "x"}, {"sid": str(uuid.UUID(int=1))}, {"sub": str(uuid.UUID(int=2))},
        {"jti": None}, {"exp": None}, {"sid": ["x"]}, {"sid": 5},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_with_a_wrong_claim_is_invalid(hana: User, settings: Settings, change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (claims_of(hana) | change).items() if value is not None}
    answer = me(jwt.encode(claims, settings.JWT_SECRET))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_expired_token_says_so(hana: User, settings: Settings) -> None:
    answer = me(jwt.encode(claims_of(hana) | {"exp": int(time.time()) - 1}, settings.JWT_SECRET))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_an_unsigned_or_tampered_or_foreign_token_is_invalid(hana: User, settings: Settings) -> None:
    claims = claims_of(hana)
    good = jwt.encode(claims, settings.JWT_SECRET)
    head, body, signature = good.split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims | {"exp": 9_999_999_999}).encode()).rstrip(b"=").decode()
    for bad in [
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "another secret of some length, 32+", algorithm="HS256"),
        jwt.encode(claims, settings.JWT_SECRET, algorithm="HS512"),
        f"{head}.{payload}.{signature}",
        f"{head}.{body}.",
        good[:-2],
    ]:
        answer = me(bad)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), bad


@pytest.mark.django_db
def test_garbage_in_the_authorization_header_is_a_401() -> None:
    nested = base64.urlsafe_b64encode(b"[" * 2500).rstrip(b"=").decode()
    for garbage in ["", "x", "a.b.c", "\xff\xfe", "x" * 100_000, f"{nested}.e30.x", "a b c"]:
        answer = me(garbage)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), garbage[:20]
    answer = APIClient().get("/api/v1/users/me", headers={"Authorization": "Basic aGFuYTp4"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_session_past_its_end_opens_nothing(hana: User) -> None:
    pair = opened(hana)
    session = Session.objects.get()
    Session.objects.update(expires_at=session.created_at - timedelta(seconds=1))
    assert me(pair.access).status_code == 401


def test_knowing_who_asks_costs_one_query(hana: User) -> None:
    token = opened(hana).access
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert me(token).status_code == 200
    assert len(queries) == 1
