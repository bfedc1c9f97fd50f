"""The storeroom as an installed app."""

from __future__ import annotations

from django.apps import AppConfig


class StorageSyncConfig(AppConfig):
    """Files and copies."""

    name = "storage_sync"
    verbose_name = "Storage"

    def ready(self) -> None:
        """Register the boot checks."""
        from storage_sync import checks  # noqa: F401, PLC0415  registers on import, which needs the app registry
