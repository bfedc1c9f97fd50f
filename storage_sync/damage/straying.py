"""Bytes that lie in the Space under the other name of their file: a delete of its last move came late, and hit its key.

Archiving and restoring use the same two names in turn, so a request that was given up may still reach a name that is
the file's again. Whoever moves files (`retaining.archiving`) brings the bytes back; here he is told to.
"""

from __future__ import annotations

from dataclasses import replace

import structlog
from django.db import transaction
from django.db.models.functions import Now

from storage_sync import keys
from storage_sync.damage import losing
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import cloud
from storage_sync.vocabulary import FileState

logger = structlog.get_logger(__name__)

# A reader waits for the answer.
HEAD_SECONDS, HEAD_ATTEMPTS = 8, 2
NEEDED = (FileState.STORED, FileState.ARCHIVED, FileState.LOST)


def has_strayed(file: StoredFile) -> bool:
    """Whether the Space has what seems to be the file under its other name; it is due to be moved then, and not lost.

    By size and ETag: who reads it at its key looks at every byte. Raises TransientError, PermanentError.
    """
    side = cloud()
    if side is None:
        return False
    side = replace(side, read_seconds=HEAD_SECONDS, attempts=HEAD_ATTEMPTS)
    for name in sorted({file.other_key, keys.other_name(file.key)} - {"", file.key}):
        found = side.head(key=name)
        if found is None or found.size != file.held_size or (file.etags and found.etag not in file.etags):
            continue
        with transaction.atomic():
            as_seen = StoredFile.objects.filter(pk=file.pk, key=file.key, state__in=NEEDED)
            as_seen.update(other_key=name, other_key_until=Now(), updated_at=Now())
            losing.welcome_back(file_id=file.pk)
        logger.warning("bytes_under_other_name", key=file.key, other=name)
        return True
    return False
