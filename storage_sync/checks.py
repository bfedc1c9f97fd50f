"""Boot checks: what would otherwise fail at the first upload stops the boot with a hint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import OperationalError, ProgrammingError

from storage_sync.vocabulary import Category


@register()
def check_local_side(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The local tree can be written, and its folders lie on one filesystem, so that a rename is atomic."""
    root = Path(settings.STORAGE_PATH)
    existing = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return [
            Error(
                f"The storage folder {root} cannot be written.",
                hint="Point CHATVISTA_STORAGE_PATH at a folder this process owns.",
                id="storage_sync.E001",
            )
        ]
    devices = {
        folder.stat().st_dev for folder in (root / name for name in ("temp", "archive", *Category.values))
        if folder.exists()
    }  # fmt: skip
    if len(devices) > 1:
        return [
            Error(
                f"The folders of {root} lie on different filesystems.",
                hint="Mount one volume at CHATVISTA_STORAGE_PATH: files move from temp/ to their place by rename.",
                id="storage_sync.E002",
            )
        ]
    return []


@register()
def check_cdn_categories(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every category that is to go through the CDN is one, and there is a CDN that can serve it."""
    problems: list[CheckMessage] = []
    unknown = sorted(set(settings.CDN_CATEGORIES) - set(Category.values))
    if unknown:
        problems.append(
            Error(
                f"CDN_CATEGORIES names categories that there are not: {', '.join(unknown)}.",
                hint=f"There are {', '.join(Category.values)}.",
                id="storage_sync.E003",
            )
        )
    if settings.CDN_CATEGORIES and (not settings.SPACES_CDN_ENDPOINT or settings.SPACES_ADDRESSING != "virtual"):
        problems.append(
            Caution(
                "CDN_CATEGORIES is set, but links cannot lead through a CDN.",
                hint="Give DO_SPACES_CDN_ENDPOINT, and DO_SPACES_ADDRESSING=virtual.",
                id="storage_sync.W001",
            )
        )
    return problems


@register(Tags.database)
def check_sealed_files(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Every sealed file and upload can be opened with the keys this process was given; asked at each deployment."""
    from storage_sync.sealing.rewrapping import missing_keys  # noqa: PLC0415  models load after the checks do

    if not databases:
        return []
    try:
        missing = missing_keys()
    except (ProgrammingError, OperationalError):
        return []  # before the first migration there are no files
    return [
        Caution(
            f"{rows} sealed files or uploads cannot be opened: the key {key_id} is not among those of this process.",
            hint="Give the earlier value of ENCRYPTION_KEY in ENCRYPTION_KEY_PREVIOUS, then run: "
            "manage.py storage rewrap",
            id="storage_sync.W003",
        )
        for key_id, rows in missing.items()
    ]
