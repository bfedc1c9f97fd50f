"""The accounts a fresh installation begins with: somebody to operate it and somebody to hold meetings."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import connection, transaction

from accounts import signing_in
from accounts.models import Organization, User
from accounts.models.session import Revocation
from accounts.models.user import Role
from chatvista.foundation import audit

ORGANIZATION = "ChatVista Demo"
SEED_LOCK = 0x43565345  # any number that nobody else locks


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody types to sign in. A password never shows in a log or a traceback."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What seeding found and did: the accounts made now, and the logins whose passwords are known to it."""

    organization: str
    created: list[str]
    logins: dict[str, Login]


PEOPLE: Mapping[str, dict[str, object]] = {
    "operator": {
        "email": "operator@chatvista.localhost", "name": "Operator", "role": Role.MEMBER,
        "is_staff": True, "is_superuser": True,
    },
    "host": {"email": "host@chatvista.localhost", "name": "Hana Host", "role": Role.OWNER},
}  # fmt: skip


def seed(*, logins_file: Path | None = None) -> Seeded:
    """Make the organization and its two accounts where they are missing; a second run changes nothing.

    With `logins_file` its passwords are the truth: kept, made up where missing, and set on accounts that do not match.
    Without, an account that exists keeps its password, which nobody here knows.
    """
    known = read_logins(logins_file) if logins_file else {}
    created: list[str] = []
    logins: dict[str, Login] = {}
    with transaction.atomic():
        # Two releases that seed at once queue here; the lock ends with the transaction.
        _lock()
        organization = _organization()
        for role, facts in PEOPLE.items():
            email = str(facts["email"])
            user = User.objects.filter(email=email).first()
            password = known.get(role) or (secrets.token_urlsafe(18) if user is None or logins_file else None)
            if user is None:
                user = User(organization=organization, **facts)
                user.set_password(password)
                user.save()
                created.append(email)
                _record("user.registered", user)
            elif password is not None and not user.check_password(password):
                user.set_password(password)
                user.save(update_fields=["password", "updated_at"])
                _record("user.password_set", user)
                signing_in.revoke_all(user=user, because=Revocation.PASSWORD_CHANGED)
            if password is not None:
                logins[role] = Login(email=email, password=password)
        if logins_file:
            # Before the commit: a password that no file knows is lost; one that no account has yet is set next time.
            write_logins(logins_file, logins)
    return Seeded(organization=organization.name, created=created, logins=logins)


def read_logins(path: Path) -> dict[str, str]:
    """The passwords in a logins file by person; none where there is no such file. ValueError for other content."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {person: str(login["password"]) for person, login in held.items() if person in PEOPLE}
    except FileNotFoundError:
        return {}
    except (AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} does not hold logins") from error


def write_logins(path: Path, logins: Mapping[str, Login]) -> None:
    """Write the file for its owner's eyes alone (0600): whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({person: asdict(login) for person, login in logins.items()}, file, indent=2)
        file.write("\n")
    beside.replace(path)


def _organization() -> Organization:
    """The organization the seeded people are in, or a new one. Never one found by name: a stranger may use the same."""
    members = User.objects.filter(email__in=[facts["email"] for facts in PEOPLE.values()], organization__isnull=False)
    member = members.select_related("organization").order_by("id").first()
    return (member and member.organization) or Organization.objects.create(name=ORGANIZATION)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEED_LOCK])


def _record(action: str, user: User) -> None:
    audit.record(action=action, target_kind="user", target_id=user.pk, tenant_id=user.organization_id, by="seed")
