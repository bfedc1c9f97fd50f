"""GET and PATCH /users/me."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from tests.factories.people import make_user

Api = Callable[[User | None], APIClient]


def test_people_see_themselves(hana: User, oscar: User, api_for: Api) -> None:
    body = api_for(hana).get("/api/v1/users/me").json()
    assert body["organization"] == {"id": str(hana.organization_id), "name": "Harbour"}
    assert (body["email"], body["name"], body["role"], body["is_staff"]) == (hana.email, "Hana", "owner", False)
    operator = api_for(oscar).get("/api/v1/users/me").json()
    assert (operator["organization"], operator["is_staff"]) == (None, True)


@pytest.mark.django_db
def test_nobody_is_asked_to_sign_in() -> None:
    answer = APIClient().get("/api/v1/users/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_name_can_be_changed_and_nothing_else(hana: User, api_for: Api) -> None:
    body = {"name": " Hana H. ", "role": "auditor", "is_staff": True, "email": "other@example.org"}
    answer = api_for(hana).patch("/api/v1/users/me", body, format="json")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Hana H."
    hana.refresh_from_db()
    assert (hana.name, hana.role, hana.is_staff, hana.email) == ("Hana H.", "owner", False, "hana@example.org")
    assert AuditEvent.objects.filter(action="user.changed", actor=hana.pk).count() == 1


def test_an_empty_patch_changes_nothing(hana: User, api_for: Api) -> None:
    assert api_for(hana).patch("/api/v1/users/me", {}, format="json").json()["name"] == "Hana"
    assert not AuditEvent.objects.filter(action="user.changed").exists()


@pytest.mark.parametrize("name", [None, 5, True, [], {}, "", "  ", "x" * 201, "two\nlines"])
def test_what_is_not_a_name_is_refused(hana: User, api_for: Api, name: Any) -> None:
    answer = api_for(hana).patch("/api/v1/users/me", {"name": name}, format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["name"])


def test_only_operators_may_belong_to_no_organization(hana: User) -> None:
    with pytest.raises(IntegrityError, match="only_operators_have_no_organization"), transaction.atomic():
        make_user(organization=None)


def test_one_address_has_one_account_whatever_code_writes_it(hana: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="HANA@example.org", name="Other", organization=hana.organization)
