"""The admin pages of accounts, as an operator uses them."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import signing_in
from accounts.models import AuditEvent, Session, User
from accounts.origins import Origin
from tests.factories.people import PASSWORD

PAGES = ["organization", "user", "session", "auditevent"]


@pytest.fixture
def desk(oscar: User) -> Client:
    """Oscar, signed in to the admin."""
    client = Client()
    assert client.login(username="OSCAR@example.com", password=PASSWORD)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_and_can_be_searched(desk: Client, hana: User, page: str) -> None:
    signing_in.open_session(user=hana, origin=Origin())
    assert desk.get(f"/admin/accounts/{page}/").status_code == 200
    assert desk.get(f"/admin/accounts/{page}/", {"q": "hana"}).status_code == 200


def test_lists_cost_the_same_however_many_rows_there_are(desk: Client, pavel: User, olga: User) -> None:
    answer = desk.get("/admin/accounts/user/")
    assert answer.status_code == 200
    assert all(user.email in answer.content.decode() for user in (pavel, olga))


def test_an_operator_makes_a_user_and_sets_passwords(desk: Client, hana: User) -> None:
    form = {
        "email": "NEW@example.org", "name": "New", "organization": str(hana.organization_id), "role": "member",
        "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
    }  # fmt: skip
    assert desk.post("/admin/accounts/user/add/", form).status_code == 302
    new = User.objects.get(email="new@example.org")
    assert new.check_password(PASSWORD)
    assert desk.get(f"/admin/accounts/user/{new.pk}/change/").status_code == 200
    assert desk.get(f"/admin/accounts/user/{new.pk}/password/").status_code == 200
    changed = {"usable_password": "true", "password1": PASSWORD[::-1], "password2": PASSWORD[::-1]}
    assert desk.post(f"/admin/accounts/user/{new.pk}/password/", changed).status_code == 302
    new.refresh_from_db()
    assert new.check_password(PASSWORD[::-1])


def test_setting_a_password_ends_the_sessions_of_the_old_one(desk: Client, hana: User, oscar: User) -> None:
    signing_in.open_session(user=hana, origin=Origin())
    form = {"usable_password": "true", "password1": PASSWORD[::-1], "password2": PASSWORD}
    assert desk.post(f"/admin/accounts/user/{hana.pk}/password/", form).status_code == 200
    assert Session.objects.get().revoked_at is None
    form["password2"] = form["password1"]
    assert desk.post(f"/admin/accounts/user/{hana.pk}/password/", form).status_code == 302
    assert Session.objects.get().revoked_because == "password_changed"
    assert AuditEvent.objects.get(action="user.password_set").actor == oscar.pk


def test_a_second_account_of_one_address_is_a_message_and_not_a_crash(desk: Client, hana: User) -> None:
    form = {
        "email": "HANA@example.org", "name": "New", "organization": str(hana.organization_id), "role": "member",
        "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
    }  # fmt: skip
    answer = desk.post("/admin/accounts/user/add/", form)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()


def test_sessions_and_audit_events_are_read_only(desk: Client, hana: User) -> None:
    signing_in.open_session(user=hana, origin=Origin())
    for page, row in [("session", Session.objects.get()), ("auditevent", AuditEvent.objects.first())]:
        assert row is not None
        assert desk.get(f"/admin/accounts/{page}/add/").status_code == 403
        assert desk.post(f"/admin/accounts/{page}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert desk.post(f"/admin/accounts/{page}/{row.pk}/change/", {"action": "x"}).status_code == 403
        assert desk.get(f"/admin/accounts/{page}/{row.pk}/change/").status_code == 200


def test_an_operator_ends_sessions_and_is_named_for_it(desk: Client, hana: User, oscar: User) -> None:
    signing_in.open_session(user=hana, origin=Origin())
    session = Session.objects.get()
    desk.post("/admin/accounts/session/", {"action": "end", "_selected_action": [str(session.pk)]})
    session.refresh_from_db()
    assert session.revoked_because == "by_operator"
    assert AuditEvent.objects.get(action="session.revoked").actor == oscar.pk


def test_people_who_are_no_operators_stay_outside(hana: User) -> None:
    client = Client()
    assert client.login(username=hana.email, password=PASSWORD)
    assert client.get("/admin/accounts/user/").status_code == 302
