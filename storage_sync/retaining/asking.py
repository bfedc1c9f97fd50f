"""What a request about retention asks for, and for whom: the tenant it may read or decide about, and its parameters."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence

from rest_framework.request import Request

from chatvista.foundation.problems import Problem
from storage_sync import ownership


def tenant_to_read(request: Request) -> uuid.UUID | None:
    """The one tenant whose records the request may read; None for an operator who named none, and so reads all."""
    if ownership.is_operator(request.user):
        named = request.query_params.get("organization")
        return None if named is None else _as_id(named)
    standing = ownership.standing_of(request.user)
    if standing is None or not standing.reads_records:
        raise Problem("permission_denied", "This is for owners, admins and auditors.", status=403)
    return standing.tenant_id


def tenant_to_administer(request: Request) -> uuid.UUID | None:
    """The tenant of somebody who administers it; for operators their own, or None."""
    standing = ownership.standing_of(request.user)
    if ownership.is_operator(request.user):
        return None if standing is None else standing.tenant_id
    if standing is None or not standing.administers:
        raise Problem("permission_denied", "This is for owners and admins.", status=403)
    return standing.tenant_id


def named_tenant(request: Request, named: uuid.UUID | None, *, own: uuid.UUID | None) -> uuid.UUID | None:
    """The tenant a body names; anybody but an operator may name their own alone."""
    if named != own and not ownership.is_operator(request.user):
        sentence = "Leave it out: you decide about your own organization."
        raise Problem("validation_failed", sentence, fields={"organization": [sentence]})
    return named


def whole_number(request: Request, name: str, *, least: int, most: int, default: int) -> int:
    """A number among the parameters."""
    written = request.query_params.get(name)
    if written is None:
        return default
    if not (written.isascii() and written.isdigit() and len(written) < 10 and least <= int(written) <= most):
        sentence = f"Give a number from {least} to {most}."
        raise Problem("validation_failed", sentence, fields={name: [sentence]})
    return int(written)


def word(request: Request, name: str, choices: Sequence[str]) -> str | None:
    """One of a few words among the parameters, or None."""
    written = request.query_params.get(name)
    if written is not None and written not in choices:
        sentence = f"Choose one of {', '.join(choices)}."
        raise Problem("validation_failed", sentence, fields={name: [sentence]})
    return written


def line(request: Request, name: str, *, longest: int = 500) -> str:
    """A line of text among the parameters, or none."""
    written = request.query_params.get(name, "").strip()
    if len(written) > longest or any(unicodedata.category(letter) == "Cc" for letter in written):
        sentence = f"Give one line of at most {longest} characters."
        raise Problem("validation_failed", sentence, fields={name: [sentence]})
    return written


def nothing_here() -> Problem:
    """The answer for what does not exist, or belongs to somebody else."""
    return Problem("not_found", "There is nothing here that you may see.", status=404)


def _as_id(written: str) -> uuid.UUID:
    try:
        return uuid.UUID(written)
    except ValueError as error:
        sentence = "Give a UUID."
        raise Problem("validation_failed", sentence, fields={"organization": [sentence]}) from error
