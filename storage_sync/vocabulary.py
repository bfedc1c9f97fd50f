"""The words of the ledger: what kinds of files there are, where copies lie, and which states both go through."""

from __future__ import annotations

from django.db import models


class Category(models.TextChoices):
    """What a file is for; the first folder of its key."""

    RECORDINGS = "recordings"
    TRANSCRIPTS = "transcripts"
    MINUTES = "minutes"
    EXPORTS = "exports"
    AVATARS = "avatars"


class FileState(models.TextChoices):
    """The life of a file. Only `stored` is ever visible; `abandoned` never became a file.

    `quarantined` was uploaded past us, and turned out not to be what its uploader had declared.
    """

    RESERVED = "reserved"
    STORED = "stored"
    ARCHIVED = "archived"
    PURGING = "purging"
    PURGED = "purged"
    LOST = "lost"
    ABANDONED = "abandoned"
    QUARANTINED = "quarantined"


class SideName(models.TextChoices):
    """Where a copy lies. `local` is one per node, `cloud` is the Space, `pool` the backup."""

    LOCAL = "local"
    CLOUD = "cloud"
    POOL = "pool"


class CopyState(models.TextChoices):
    """What is known about a copy."""

    PENDING = "pending"
    PRESENT = "present"
    MISSING = "missing"
    CORRUPT = "corrupt"
