"""A person who can sign in. How they sign in is `signing_in`; how they come to be is `registering`."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from accounts.models.organization import Organization
from chatvista.foundation.records import Record

LONGEST_EMAIL = 254
LONGEST_NAME = 200


def normalised_email(email: str) -> str:
    """The one spelling of an address that is stored and looked up.

    NFKC first: full-width letters and the Kelvin sign would otherwise make a second account of one address.
    """
    return unicodedata.normalize("NFKC", email.strip()).lower()


class Role(models.TextChoices):
    """What somebody may do in their organization. An auditor reads and never writes or deletes."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    AUDITOR = "auditor"


class UserManager(BaseUserManager["User"]):
    """Makes and finds users by their normalised address."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with that address in whatever case; User.DoesNotExist without one."""
        return self.get(email=normalised_email(username or ""))

    def create_user(self, *, email: str, password: str | None, name: str, **facts: Any) -> User:
        """A new row with a hashed password. None as password lets nobody in."""
        user = self.model(email=normalised_email(email), name=name, **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *, email: str, password: str | None = None, name: str, **facts: Any) -> User:
        """An operator, as `manage.py createsuperuser` makes one: outside every organization."""
        return self.create_user(email=email, password=password, name=name, is_staff=True, is_superuser=True, **facts)


class User(AbstractBaseUser, PermissionsMixin, Record):
    """A person; belongs to one organization. Operators (`is_staff`) alone may belong to none."""

    email = models.EmailField(max_length=LONGEST_EMAIL, unique=True)
    name = models.CharField(max_length=LONGEST_NAME)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="members", null=True, blank=True
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("operator", default=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_email_in_any_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="a_user_has_a_known_role"),
            models.CheckConstraint(
                condition=models.Q(organization__isnull=False) | models.Q(is_staff=True),
                name="only_operators_have_no_organization",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Normalise the address before a form checks that it is unique."""
        super().clean()
        self.email = normalised_email(self.email)

    def get_full_name(self) -> str:
        """The name, as the admin greets people."""
        return self.name

    def get_short_name(self) -> str:
        """The same: people are called what they say they are called."""
        return self.name
