"""POST /auth/register."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Organization, Session, User

PASSWORD = "correct horse battery staple"


def registration(**changes: Any) -> dict[str, Any]:
    return {"email": "hana@example.org", "password": PASSWORD, "name": "Hana"} | changes


def register(body: Any) -> Any:
    return APIClient().post("/api/v1/auth/register", body, format="json")


@pytest.mark.django_db
def test_a_person_gets_an_account_an_organization_of_their_own_and_tokens_that_work() -> None:
    answer = register(registration())
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"user", "access", "refresh"}
    assert set(body["user"]) == {"id", "email", "name", "role", "organization", "created_at", "is_staff"}
    assert body["user"]["role"] == "owner"
    assert body["user"]["is_staff"] is False
    assert body["user"]["organization"]["name"] == "Hana"
    assert uuid.UUID(body["user"]["id"]).version == 7
    me = APIClient().get("/api/v1/users/me", headers={"Authorization": f"Bearer {body['access']}"})
    assert me.json() == body["user"]


@pytest.mark.django_db
def test_the_organization_is_called_as_asked() -> None:
    assert register(registration(organization="Harbour")).json()["user"]["organization"]["name"] == "Harbour"


@pytest.mark.django_db
def test_the_password_is_stored_as_a_hash_and_registration_is_in_the_audit_log() -> None:
    user_id = register(registration()).json()["user"]["id"]
    user = User.objects.get(pk=user_id)
    assert PASSWORD not in user.password
    assert user.check_password(PASSWORD)
    actions = AuditEvent.objects.filter(tenant_id=user.organization_id).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user.registered", "session.opened"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spelling", ["hana@example.org", "HANA@Example.ORG", "  hana@example.org ", "\uff48ana@example.org"]
)
def test_an_address_in_another_spelling_is_the_same_address(spelling: str) -> None:
    assert register(registration()).status_code == 201
    again = register(registration(email=spelling))
    assert again.status_code == 400
    assert again.json()["code"] == "email_taken"
    assert list(again.json()["fields"]) == ["email"]
    assert (User.objects.count(), Organization.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "1234567890123", "password123", "hana@example.org"])
def test_a_password_that_is_easy_to_guess_is_refused_with_the_reason(password: str) -> None:
    answer = register(registration(password=password))
    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_failed"
    assert answer.json()["fields"]["password"]
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["email", "password", "name", "organization"])
@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], ["x"], {}, {"x": "y"}, "", "x" * 1_000_000])
def test_a_value_of_the_wrong_type_or_size_is_refused_by_name(field: str, value: Any) -> None:
    answer = register(registration(**{field: value}))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["fields"]) == [field]
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [
        b"[]", b"null", b"5", b'"x"', b"{", b"", b'{"email": NaN}', b"\xff\xfe", b"[" * 100_000,
        b'{"email": "a\\u0000@example.org", "password": "correct horse battery", "name": "Hana"}',
        b'{"email": "a@example.org", "password": "correct horse battery", "name": "\\ud800"}',
        b'{"email": "a@example.org", "password": "correct horse \\ud800battery", "name": "Hana"}',
        b'{"email": "a@example.org", "password": "correct horse battery", "name": "Ha\\nna"}',
    ],
)  # fmt: skip
def test_a_malformed_body_is_a_400(raw: bytes) -> None:
    answer = APIClient().post("/api/v1/auth/register", raw, content_type="application/json")
    assert answer.status_code == 400
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["hana", "hana@", "@example.org", "a b@example.org", f"{'a' * 10_000}@example.org"])
def test_what_is_not_an_address_is_refused(email: str) -> None:
    assert list(register(registration(email=email)).json()["fields"]) == ["email"]


@pytest.mark.django_db
def test_names_and_passwords_in_any_script_are_welcome() -> None:
    body = registration(name="花子 \U0001f680", password="秘密 の 言葉 です よ ", email="hanako@例え.jp")
    assert register(body).status_code == 201
    login = {"email": body["email"], "password": body["password"]}
    assert APIClient().post("/api/v1/auth/login", login, format="json").status_code == 200


@pytest.mark.django_db
def test_an_expired_token_sent_along_does_not_get_in_the_way() -> None:
    answer = APIClient().post(
        "/api/v1/auth/register", registration(), format="json", headers={"Authorization": "Bearer old"}
    )
    assert answer.status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_several_concurrent_registrations_of_one_address_one_wins_and_leaves_nothing_half_made() -> None:
    several = 4
    start = Barrier(several)

    def race(_: int) -> tuple[int, str]:
        try:
            start.wait()
            answer = register(registration())
            return answer.status_code, answer.json().get("code", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(several) as pool:
        outcomes = sorted(pool.map(race, range(several)))
    assert outcomes == [(201, ""), *[(400, "email_taken")] * (several - 1)]
    assert (User.objects.count(), Organization.objects.count(), Session.objects.count()) == (1, 1, 1)
