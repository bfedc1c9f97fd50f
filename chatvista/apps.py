"""The roof as an installed app: it connects Celery and owns the welcome page and the boot checks."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ChatVistaConfig(AppConfig):
    """The roof; it has no rows."""

    name = "chatvista"
    verbose_name = "ChatVista"

    def ready(self) -> None:
        """Make our Celery application the current one, or tasks sent from the web would go to a default broker."""
        import_module("chatvista.celery")
