"""The accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Listens to what is announced, so that the audit log is written with the deed."""

    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Connect the audit log, and teach the OpenAPI document our tokens."""
        from accounts import auditing, schema  # noqa: F401, PLC0415  models must be loaded first

        auditing.listen()
