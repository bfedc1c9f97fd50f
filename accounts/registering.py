"""How somebody comes to have an account."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import signing_in
from accounts.models import Organization, User
from accounts.models.user import Role, normalised_email
from accounts.origins import Origin
from accounts.tokens import TokenPair
from chatvista.foundation import audit
from chatvista.foundation.problems import Problem


def register(
    *, email: str, password: str, name: str, organization: str | None = None, origin: Origin
) -> tuple[User, TokenPair]:
    """Make an account with an organization that it owns, and sign it in.

    Without a name for the organization it is called like the person. Problem 400 `validation_failed` for a password
    that is too easy, `email_taken` for an address that has an account.
    """
    email = normalised_email(email)
    user = User(email=email, name=name, role=Role.OWNER)
    require_strong(password=password, user=user)
    if User.objects.filter(email=email).exists():
        raise _taken()
    user.set_password(password)  # before the transaction: hashing is slow on purpose
    try:
        with transaction.atomic():
            user.organization = Organization.objects.create(name=organization or name)
            user.save()
            audit.record(
                action="user.registered",
                target_kind="user",
                target_id=user.pk,
                actor=user.pk,
                tenant_id=user.organization_id,
            )
            return user, signing_in.open_session(user=user, origin=origin)
    except IntegrityError as error:
        # Somebody registered the same address between our look and our insert.
        if User.objects.filter(email=email).exists():
            raise _taken() from error
        raise


def require_strong(*, password: str, user: User) -> None:
    """Problem 400 with the sentences of every validator that refuses the password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Problem(
            "validation_failed", f"password: {error.messages[0]}", fields={"password": error.messages}
        ) from error


def _taken() -> Problem:
    sentence = "There is an account with this address; sign in instead."
    return Problem("email_taken", sentence, fields={"email": [sentence]})
