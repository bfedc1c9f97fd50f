"""Everything that is known about one file: its rows, what its sides say at this moment, and what happened to it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.db.models import Q

from chatvista.foundation import audit
from chatvista.foundation.problems import WorkError
from storage_sync import keys
from storage_sync.inspecting.places import reachable
from storage_sync.models import BlockDigests, Copy, Deletion, StoredFile, Upload

_SHA256 = re.compile(r"[0-9a-f]{64}")


def everything_about(name: str) -> dict[str, Any] | list[dict[str, Any]] | None:
    """By id, key, sha256 (of several files a list) or the id of an upload; None when nothing is known."""
    files = _find(name.strip())
    if not files:
        return None
    told = [_about(file) for file in files]
    return told[0] if len(told) == 1 else told


def _find(name: str) -> list[StoredFile]:
    if _SHA256.fullmatch(name):
        return list(StoredFile.objects.filter(Q(sha256=name) | Q(sealed_sha256=name)).order_by("pk")[:100])
    try:
        wanted = uuid.UUID(name)
    except ValueError:
        live = keys.live_key(name)
        return list(StoredFile.objects.filter(Q(key__in=[live, keys.archive_key(live)]) | Q(other_key=name)))
    return list(StoredFile.objects.filter(Q(pk=wanted) | Q(uploads=wanted)).distinct())


def _about(file: StoredFile) -> dict[str, Any]:
    # The wrapped key of a sealed file is nobody's business.
    names = [field.attname for field in StoredFile._meta.concrete_fields if field.attname != "sealed_key"]  # noqa: SLF001  Django's documented name
    facts = {name: getattr(file, name) for name in names}
    uploads = Upload.objects.filter(Q(file=file) | Q(key=file.key)).order_by("pk")
    return {
        "file": facts | {"durability": file.durability, "is_sealed": file.sealed_key is not None},
        "copies": list(
            Copy.objects.filter(file=file)
            .order_by("side", "node")
            .values(
                "side",
                "node",
                "state",
                "verified_at",
                "attempts",
                "next_attempt_at",
                "lease_until",
                "error",
                "updated_at",
            )
        ),
        "sides_now": [_seen(place, key) for place in reachable() for key in _keys_of(file)],
        "block_digests": BlockDigests.objects.filter(file=file).exists(),
        "uploads": list(uploads.values("id", "kind", "state", "offset", "size", "created_at", "expires_at", "problem")),
        "deletion": Deletion.objects.filter(file_id=file.pk).values().first(),
        "history": audit.history(file.pk),
    }


def _keys_of(file: StoredFile) -> list[str]:
    return [file.key, keys.other_name(file.key)]


def _seen(place: Any, key: str) -> dict[str, Any]:
    """What lies at a key now."""
    told: dict[str, Any] = {"side": place.name.value, "node": place.node, "key": key}
    try:
        found = place.side.head(key=key)
    except (WorkError, OSError) as error:
        return told | {"trouble": str(error)}
    if found is None:
        return told | {"found": False}
    return told | {"found": True, "size": found.size, "modified_at": found.modified_at, "etag": found.etag}
