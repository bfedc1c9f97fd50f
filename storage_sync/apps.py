"""The storeroom as an installed app."""

from __future__ import annotations

from django.apps import AppConfig


class StorageSyncConfig(AppConfig):
    """Files and copies."""

    name = "storage_sync"
    verbose_name = "Storage"

    def ready(self) -> None:
        """Register the boot checks, and the kinds of work."""
        from chatvista.foundation.views import register_access  # noqa: PLC0415
        from chatvista.foundation.working import Kind, register  # noqa: PLC0415  models load after apps are found
        from storage_sync import checks  # noqa: F401, PLC0415  registers on import, which needs the app registry
        from storage_sync.inspecting import ordering  # noqa: PLC0415
        from storage_sync.uploading import proving, storing  # noqa: PLC0415

        register(Kind(name=storing.VERIFICATION, queue="storage", run=proving.prove))
        register(Kind(name=ordering.RECONCILIATION, queue="storage", run=ordering.run_ordered, most_attempts=2))
        register_access(kind=ordering.RECONCILIATION, resolver=ordering.may_follow)
