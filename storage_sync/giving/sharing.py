"""Links that give a file to whoever holds them, for a while: signed by the Space, or by us where that cannot be."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.core.files.storage import storages

from chatvista.foundation import signatures
from chatvista.foundation.problems import Problem
from storage_sync import keys
from storage_sync.giving.dispositions import clean_filename, content_disposition
from storage_sync.giving.reading import require_readable
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import cloud
from storage_sync.vocabulary import CopyState, FileState, SideName

PURPOSE = "file-download"


def link(file: StoredFile, *, filename: str, seconds: int | None = None) -> str:
    """An absolute URL that downloads the file for that long (LINK_SECONDS unless said).

    Confidential files, and files the Space does not hold, come through this service, and stop coming when the file is
    archived. A link of the Space's works on for what is left of LINK_SECONDS, for GET alone.
    """
    require_readable(file)
    term = settings.LINK_SECONDS if seconds is None else seconds
    if not _is_in_space(file) or file.is_confidential:
        return _own_link(file, filename, term)
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
    # To the origin unless wished otherwise: a presigned answer is never cached, and through the CDN paid for twice.
    return _through_cdn(origin) if file.category in settings.CDN_CATEGORIES else origin


def is_public(file: StoredFile) -> bool:
    """Whether everybody may have this file who knows its key."""
    return keys.is_public(file.key) and file.state == FileState.STORED and not file.is_confidential


def public_url(file: StoredFile) -> str:
    """A lasting URL of a public file, from the CDN, to be cached for ever; where there is no CDN a link that expires.

    ValueError for a file that is not public. The CDN may go on showing one that is archived for as long as it has it.
    """
    if not is_public(file):
        raise ValueError(f"{file.pk} is not public")
    if not settings.SPACES_CDN_ENDPOINT or not _is_in_space(file):
        return link(file, filename=file.name)
    return f"{settings.SPACES_CDN_ENDPOINT.rstrip('/')}/{keys.require_safe(file.key)}"


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


def _is_in_space(file: StoredFile) -> bool:
    return cloud() is not None and file.copies.filter(side=SideName.CLOUD, state=CopyState.PRESENT).exists()


def _through_cdn(origin: str) -> str:
    """The same URL at the CDN's host, which asks the origin by the origin's name: so its signature goes on holding.

    That takes an origin with the bucket in its name; where it is in the path the link stays the origin's.
    """
    if not settings.SPACES_CDN_ENDPOINT or settings.SPACES_ADDRESSING != "virtual":
        return origin
    cdn = urlsplit(settings.SPACES_CDN_ENDPOINT)
    return urlunsplit(urlsplit(origin)._replace(scheme=cdn.scheme, netloc=cdn.netloc))


def _own_link(file: StoredFile, filename: str, seconds: int) -> str:
    claims = {"file": str(file.pk), "name": clean_filename(filename)}
    token = signatures.sign(purpose=PURPOSE, claims=claims, seconds=seconds)
    return f"{settings.PUBLIC_URL}/api/v1/files/{file.pk}/download?{urlencode({'token': token})}"
