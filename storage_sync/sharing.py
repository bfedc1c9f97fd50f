"""Links that give a file to whoever holds them, for a while: signed by the Space, or by us where that cannot be."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.files.storage import storages

from chatvista.foundation import signatures
from chatvista.foundation.problems import Problem
from storage_sync import keys
from storage_sync.dispositions import clean_filename, content_disposition
from storage_sync.models import StoredFile
from storage_sync.reading import require_readable
from storage_sync.sides.cloud import cloud
from storage_sync.vocabulary import CopyState, FileState, SideName

PURPOSE = "file-download"


def link(file: StoredFile, *, filename: str, seconds: int | None = None) -> str:
    """An absolute URL that downloads the file for that long (LINK_SECONDS unless said).

    Confidential files, and files the Space does not hold, come through this service.
    """
    require_readable(file)
    term = settings.LINK_SECONDS if seconds is None else seconds
    in_cloud = file.copies.filter(side=SideName.CLOUD, state=CopyState.PRESENT).exists()
    if cloud() is None or not in_cloud or file.is_confidential:
        return _own_link(file, filename, term)
    # To the origin, not to the CDN: a presigned answer is never cached, and would be paid for twice.
    space: Any = storages["spaces"]  # django-storages' `url` takes more than Django's, and has no types
    origin: str = space.url(
        keys.require_safe(file.key),
        parameters={
            "ResponseContentDisposition": content_disposition(
                filename=filename, inline=False, content_type=file.content_type
            ),
            "ResponseContentType": file.content_type,
            "ResponseCacheControl": "private, no-store",
        },
        # Bytes that move stay at their old key for LINK_SECONDS: no link may promise more.
        expire=min(term, settings.LINK_SECONDS),
    )
    return origin


def open_link(*, file_id: uuid.UUID, token: str) -> tuple[StoredFile, str]:
    """The file a link of ours gives, and the name to give it under.

    Raises Problem 403 `link_invalid` or `link_expired`; 404 when the file may no longer be seen.
    """
    claims = signatures.verify(purpose=PURPOSE, token=token)
    if claims.get("file") != str(file_id):
        raise Problem("link_invalid", "This link was made for another file.", status=403)
    file = StoredFile.objects.filter(pk=file_id, state__in=[FileState.STORED, FileState.LOST]).first()
    if file is None:
        raise Problem("not_found", "There is nothing here that you may see.", status=404)
    return file, str(claims.get("name", ""))


def _own_link(file: StoredFile, filename: str, seconds: int) -> str:
    claims = {"file": str(file.pk), "name": clean_filename(filename)}
    token = signatures.sign(purpose=PURPOSE, claims=claims, seconds=seconds)
    return f"{settings.PUBLIC_URL}/api/v1/files/{file.pk}/download?{urlencode({'token': token})}"
