"""The token of one upload: it opens that upload alone, for as long as the upload lives.

Access tokens expire after minutes and clients of tus do not renew them; a long upload must not end with one.
"""

from __future__ import annotations

import uuid

from django.utils import timezone

from chatvista.foundation import signatures
from chatvista.foundation.problems import Problem
from storage_sync.models import Upload

PURPOSE = "upload"


def sign(*, upload: Upload, session_id: uuid.UUID | None) -> str:
    """A token for the upload, worth nothing once the session that began it is closed."""
    seconds = max(0, int((upload.expires_at - timezone.now()).total_seconds()))
    claims = {"upload": str(upload.pk), "session": str(session_id) if session_id else None}
    return signatures.sign(purpose=PURPOSE, claims=claims, seconds=seconds)


def session_of(*, token: str, upload_id: uuid.UUID) -> uuid.UUID | None:
    """The session that a token of this upload was given to; None for anything else, whatever it is."""
    try:
        claims = signatures.verify(purpose=PURPOSE, token=token[:2000])
        if claims.get("upload") != str(upload_id) or not claims.get("session"):
            return None
        return uuid.UUID(claims["session"])
    except (Problem, ValueError):
        return None
