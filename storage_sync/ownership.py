"""Whom a file belongs to, asked of the apps above: the storeroom knows files, they know people."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Resolver = Callable[[Any, uuid.UUID], bool]

_resolvers: list[Resolver] = []


def register(resolver: Resolver) -> Resolver:
    """Let an app answer `resolver(user, file_id) -> bool` for the files it owns; usable as a decorator."""
    if resolver not in _resolvers:
        _resolvers.append(resolver)
    return resolver


def may_see(*, user: Any, file_id: uuid.UUID) -> bool:
    """Whether anybody vouches that this user may see this file. Operators see every ledger entry."""
    return bool(getattr(user, "is_staff", False)) or any(resolver(user, file_id) for resolver in _resolvers)


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is to a tenant: whether they administer it, and whether its records are theirs to read."""

    tenant_id: uuid.UUID
    administers: bool
    reads_records: bool


StandingResolver = Callable[[Any], Standing | None]
_standings: list[StandingResolver] = []


def register_standing(resolver: StandingResolver) -> None:
    """Let the app that knows people answer `resolver(user)`: their standing in their tenant, or None."""
    if resolver not in _standings:
        _standings.append(resolver)


def standing_of(user: Any) -> Standing | None:
    """What a user is to the tenant they belong to; None for who belongs to none."""
    return next((found for resolver in _standings if (found := resolver(user)) is not None), None)


def is_operator(user: Any) -> bool:
    """Whether somebody operates the service, and so may administer every tenant."""
    return bool(getattr(user, "is_staff", False))


def may_administer(*, user: Any, tenant_id: uuid.UUID | None) -> bool:
    """Whether somebody may decide how long a tenant's files are kept. Only operators, for files of no tenant."""
    if is_operator(user):
        return True
    standing = standing_of(user)
    return standing is not None and standing.administers and standing.tenant_id == tenant_id
