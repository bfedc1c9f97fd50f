"""Meetings as an installed app: says what its jobs do, who may see what, and listens to the storeroom."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    """Named `meetings` in the database."""

    name = "meetings"
    verbose_name = "Meetings"

    def ready(self) -> None:
        """Register the kinds of work and their access, and follow what happens to files."""
        from chatvista.foundation.working import Kind, register  # noqa: PLC0415  models load after apps are found
        from meetings import access, exporting, minuting, sealing, transcribing, uploading  # noqa: PLC0415
        from storage_sync.signals import file_archived, file_dropped, file_stored, file_verified  # noqa: PLC0415

        register(Kind(name=transcribing.KIND, queue="media", run=transcribing.transcribe))
        register(Kind(name=minuting.KIND, queue="media", run=minuting.write_minutes))
        register(Kind(name=exporting.KIND, queue="default", run=exporting.make_export))
        sealing_files = Kind(
            name=sealing.KIND, queue="storage", run=sealing.rewrite_files, most_attempts=sealing.MOST_ATTEMPTS
        )
        register(sealing_files)
        access.register()
        uploading.register()
        file_stored.connect(_follow_stored_file, dispatch_uid="meetings")
        file_verified.connect(_follow_verified_file, dispatch_uid="meetings")
        file_dropped.connect(_drop_owner, dispatch_uid="meetings")
        file_archived.connect(_follow_archived_file, dispatch_uid="meetings")


def _follow_stored_file(*, file: Any, **_: Any) -> None:
    from meetings import capturing, sealing  # noqa: PLC0415

    capturing.follow_stored_file(file=file)
    sealing.follow_stored_file(file=file)


def _follow_archived_file(*, file: Any, **_: Any) -> None:
    from meetings import capturing  # noqa: PLC0415

    capturing.follow_archived_file(file=file)


def _follow_verified_file(*, file: Any, **_: Any) -> None:
    from meetings import capturing  # noqa: PLC0415

    capturing.follow_verified_file(file=file)


def _drop_owner(*, file: Any, **_: Any) -> None:
    from meetings import capturing, exporting  # noqa: PLC0415

    capturing.drop_owner(file=file)
    exporting.drop_owner(file=file)
