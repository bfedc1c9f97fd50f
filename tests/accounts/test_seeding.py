"""`manage.py seed`."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import signing_in
from accounts.models import Organization, Session, User
from accounts.origins import Origin
from accounts.seeding import Login, seed, write_logins

pytestmark = pytest.mark.django_db

EMAILS = {"operator": "operator@chatvista.localhost", "host": "host@chatvista.localhost"}


def run(*options: str | Path) -> str:
    out = StringIO()
    call_command("seed", *map(str, options), stdout=out)
    return out.getvalue()


def held_in(path: Path) -> Any:
    return json.loads(path.read_text())


def works(login: dict[str, str]) -> bool:
    return User.objects.get(email=login["email"]).check_password(login["password"])


def test_it_makes_an_operator_and_a_host_and_shows_their_passwords_once() -> None:
    told = json.loads(run("--json"))
    assert told["created"] == list(EMAILS.values())
    assert {who: login["email"] for who, login in told["logins"].items()} == EMAILS
    assert all(works(login) for login in told["logins"].values())
    operator, host = (User.objects.get(email=email) for email in EMAILS.values())
    assert (operator.is_staff, operator.is_superuser, operator.role) == (True, True, "member")
    assert (host.is_staff, host.is_superuser, host.role) == (False, False, "owner")
    assert Organization.objects.get().name == "ChatVista Demo"
    assert set(Organization.objects.get().members.all()) == {operator, host}


def test_a_second_run_changes_nothing_and_shows_nothing() -> None:
    run()
    before = list(User.objects.order_by("id").values())
    told = json.loads(run("--json"))
    assert (told["created"], told["logins"]) == ([], {})
    assert list(User.objects.order_by("id").values()) == before
    assert "password" not in run()


def test_passwords_go_into_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "logins.json"
    shown = run("--logins", path)
    logins = held_in(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {who: login["email"] for who, login in logins.items()} == EMAILS
    assert all(works(login) for login in logins.values())
    assert not any(login["password"] in shown for login in logins.values())
    run("--logins", path)
    assert held_in(path) == logins
    assert list(path.parent.iterdir()) == [path]


def test_the_file_wins_over_a_database_that_was_lost_or_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "logins.json"
    run("--logins", path)
    logins = held_in(path)
    User.objects.get(email=EMAILS["host"]).delete()
    operator = User.objects.get(email=EMAILS["operator"])
    operator.set_password("something else")
    operator.save()
    signing_in.open_session(user=operator, origin=Origin())
    assert seed(logins_file=path).created == [EMAILS["host"]]
    assert held_in(path) == logins
    assert all(works(login) for login in logins.values())
    assert Session.objects.get().revoked_because == "password_changed"


def test_a_lost_file_is_made_again_with_passwords_that_work(tmp_path: Path) -> None:
    path = tmp_path / "logins.json"
    run("--logins", path)
    old = held_in(path)
    path.unlink()
    run("--logins", path)
    assert held_in(path) != old
    assert all(works(login) for login in held_in(path).values())


@pytest.mark.parametrize("content", ["", "[]", "5", '{"host": 5}', '{"host": {"email": "x"}}'])
def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "logins.json"
    path.write_text(content)
    with pytest.raises(CommandError):
        run("--logins", path)
    assert path.read_text() == content
    assert not User.objects.exists()


def test_a_stranger_with_an_organization_of_that_name_stays_alone() -> None:
    stranger = Organization.objects.create(name="ChatVista Demo")
    seed()
    assert not stranger.members.exists()


def test_a_password_does_not_show_in_a_representation(tmp_path: Path) -> None:
    login = Login(email="host@chatvista.localhost", password="a secret one")
    assert "a secret one" not in repr(login)
    write_logins(tmp_path / "logins.json", {"host": login})
    assert held_in(tmp_path / "logins.json")["host"]["password"] == "a secret one"
