"""The cellar as an installed app: it owns jobs and idempotency keys."""

from __future__ import annotations

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    """Named `foundation` in the database."""

    name = "chatvista.foundation"
    label = "foundation"
    verbose_name = "Work"
