"""The pages people open in a browser, the documents, and the envelope around every error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User

OURS = ("accounts", "foundation", "meetings", "storage_sync")
# In one order in every test process: pytest-xdist compares what each collects.
MODELS: list[Any] = sorted((model for app in OURS for model in apps.get_app_config(app).get_models()), key=str)


def test_the_front_page_says_what_this_is_and_leads_on() -> None:
    page = Client().get("/").content.decode()
    assert "backend of record for meetings" in page
    for link in ("/api/docs", "/admin/", "/health"):
        assert f'href="{link}"' in page


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_the_documentation_loads_nothing_from_outside(path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 200
    page = response.content.decode()
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "/static/drf_spectacular_sidecar/" in page


def test_the_schema_is_served() -> None:
    response = Client().get("/api/schema")
    assert response.status_code == 200
    assert b"/api/v1/meetings/{meeting_id}/recordings" in response.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    "model",
    MODELS,
    ids=lambda model: model.__name__,
)
def test_operators_see_a_list_of_every_model_and_can_search_it(model: Any, oscar: User) -> None:
    assert admin.site.is_registered(model)
    client = Client()
    client.force_login(oscar)
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert client.get(address).status_code == 200
    listed = admin.site.get_model_admin(model)
    if listed.search_fields:
        assert client.get(address, {"q": "x"}).status_code == 200


@pytest.mark.django_db
def test_people_who_do_not_operate_stay_out_of_the_admin(hana: User) -> None:
    client = Client()
    client.force_login(hana)
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/v1/nothing", 404, "not_found"),
        ("get", "/nothing", 404, "not_found"),
        ("get", "/api/v1/meetings/not-a-uuid", 404, "not_found"),
        ("get", "/api/v1/meetings", 401, "not_authenticated"),
        ("post", "/api/v1/meetings", 401, "not_authenticated"),
        ("get", "/api/v1/meetings?title=%00", 400, "nul_byte"),
        ("get", "/api/v1/meetings/%00", 400, "nul_byte"),
    ],
)
def test_every_error_is_a_problem(method: str, path: str, status: int, code: str) -> None:
    response = getattr(APIClient(), method)(path)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) >= {"type", "title", "status", "detail", "code"}
    assert (body["status"], body["code"]) == (status, code)


@pytest.mark.django_db
def test_a_wrong_method_is_a_405_and_a_wrong_body_type_a_415(hana: User, api_for: Any) -> None:
    client = api_for(hana)
    assert client.put("/api/v1/meetings", {}).json()["code"] == "method_not_allowed"
    response = client.post("/api/v1/meetings", "a=b", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_the_request_id_comes_back_and_cannot_forge_log_lines() -> None:
    assert Client().get("/", headers={"X-Request-ID": "abc-123"})["X-Request-ID"] == "abc-123"
    for hostile in ("a b", "x" * 200, "é", "a;b", ""):
        answered = Client().get("/", headers={"X-Request-ID": hostile})["X-Request-ID"]
        assert answered != hostile
        assert re.fullmatch(r"[0-9a-f-]{36}", answered)


def test_a_fault_of_ours_says_nothing_about_the_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("django.views.generic.TemplateView.get", fail)
    response = Client(raise_request_exception=False).get("/")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert b"secret detail" not in response.content


def test_only_named_origins_may_call_from_a_browser(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    allowed = Client().options(
        "/api/v1/meetings", headers={"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    )
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.org"
    other = Client().options(
        "/api/v1/meetings", headers={"Origin": "https://evil.example.org", "Access-Control-Request-Method": "POST"}
    )
    assert "Access-Control-Allow-Origin" not in other
