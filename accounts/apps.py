"""The accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Listens to what is announced, so that the audit log is written with the deed."""

    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Connect the audit log, teach the OpenAPI document our tokens, and say who administers what."""
        from accounts import auditing, schema, standing  # noqa: F401, PLC0415  models must be loaded first
        from storage_sync import ownership  # noqa: PLC0415

        auditing.listen()
        ownership.register_standing(standing.standing)
