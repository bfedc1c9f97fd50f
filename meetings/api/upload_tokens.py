"""Who is asking, by the token in an upload's own address: as good as its owner, for that one upload."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.models import Session, User
from storage_sync.uploading import tokens


class UploadTokenAuthentication(BaseAuthentication):
    """`?token=`, for as long as the session it was given to is not closed; anything else is left to the next one."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        """User and session, or None: an access token may still do."""
        token = request.query_params.get("token")
        upload_id = (request.parser_context or {}).get("kwargs", {}).get("upload_id")
        session_id = tokens.session_of(token=token, upload_id=upload_id) if token and upload_id else None
        if session_id is None:
            return None
        session = (
            Session.objects.select_related("user__organization")
            .filter(pk=session_id, user__is_active=True, revoked_at__isnull=True, expires_at__gt=timezone.now())
            .first()
        )
        return (session.user, session) if session is not None else None

    def authenticate_header(self, request: Request) -> str:
        """The challenge that makes REST framework answer 401 and not 403."""
        return 'Bearer realm="api"'


class UploadTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers by subclassing
    """The same, as the OpenAPI document says it. Found by having been imported."""

    target_class = UploadTokenAuthentication
    name = "uploadToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A key in the address."""
        return {"type": "apiKey", "in": "query", "name": "token"}
