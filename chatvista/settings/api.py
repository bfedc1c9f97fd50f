"""The HTTP API: REST framework, its OpenAPI document, tokens, cross-origin access, and the engines behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chatvista import __version__
from chatvista.settings.base import JWT_SECRET
from chatvista.settings.environment import READER as READ

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chatvista.foundation.parsing.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "chatvista.foundation.paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "chatvista.foundation.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "chatvista.foundation.envelope.handle",
    # `?format=` is ours (exports, transcripts), not a way to choose a renderer.
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "ChatVista",
    "DESCRIPTION": "The backend of record for meetings: recordings in; transcripts, minutes and documents out.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Operations are grouped by the word after it.
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    # Fields of one name with different words need names of their own in the document.
    "ENUM_NAME_OVERRIDES": {
        "ActionStatusEnum": "meetings.models.ActionStatus",
        "CategoryEnum": "storage_sync.vocabulary.Category",
        "CopyStateEnum": "storage_sync.vocabulary.CopyState",
        "FileStateEnum": "storage_sync.vocabulary.FileState",
        "JobStateEnum": "chatvista.foundation.leases.State",
        "MeetingStatusEnum": "meetings.models.MeetingStatus",
        "OrganizationRoleEnum": "accounts.models.user.Role",
        "ParticipantRoleEnum": "meetings.models.ParticipantRole",
        "TranscriptStateEnum": ["queued", "processing", "completed", "failed"],
    },
}

ACCESS_TOKEN_LIFETIME = timedelta(
    seconds=READ.integer("ACCESS_TOKEN_SECONDS", "How long an access token works.", default=900, least=30, most=86_400)
)
REFRESH_TOKEN_LIFETIME = timedelta(
    seconds=READ.integer("REFRESH_TOKEN_SECONDS", "How long a session lives without use.", default=2_592_000, least=60)
)
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SECRET,
    "ISSUER": "chatvista",
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "USER_ID_CLAIM": "sub",
    "CHECK_REVOKE_TOKEN": False,
    "UPDATE_LAST_LOGIN": False,
}

CORS_ALLOWED_ORIGINS = READ.origins("CORS_ORIGINS", "Origins whose pages may call the API, comma-separated.")
CORS_URLS_REGEX = r"^/(api|health)(/|$)"
CORS_EXPOSE_HEADERS = [
    "Content-Disposition", "Content-Range", "ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
    "X-ChatVista-Recording", "X-Request-ID",
    "Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version",
    "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset", "X-ChatVista-Chunk-Bytes",
]  # fmt: skip
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-disposition", "content-type", "idempotency-key", "if-match", "if-none-match",
    "range", "repr-digest", "x-request-id",
    "tus-resumable", "upload-checksum", "upload-concat", "upload-defer-length", "upload-length", "upload-metadata",
    "upload-offset", "x-http-method-override",
]  # fmt: skip

REGISTRATIONS_PER_MINUTE = READ.integer(
    "REGISTRATIONS_PER_MINUTE", "Registrations taken from one address in a minute.", default=300, least=1
)
LOGINS_PER_MINUTE = READ.integer(
    "LOGINS_PER_MINUTE", "Sign-in attempts for one account from one address in a minute.", default=60, least=1
)

OPENAI_API_KEY = READ.text(
    "OPENAI_API_KEY", "Key of the OpenAI API; without it everything runs on this machine.", default=""
)
OPENAI_BASE_URL = READ.url(
    "OPENAI_BASE_URL", "A server that speaks the OpenAI protocol.", schemes=("https", "http"), default=""
)
if OPENAI_BASE_URL and not OPENAI_API_KEY:
    READ.fault(
        "OPENAI_API_KEY", "is not set, but OPENAI_BASE_URL is", "Give the server's key; any text where it asks none."
    )
# Announced ends: whisper-1, the one with word times, 2027-02-26; gpt-5-mini 2026-12-11, hence its successor.
OPENAI_TRANSCRIPTION_MODEL = READ.text("OPENAI_TRANSCRIPTION_MODEL", "Model that listens.", default="whisper-1")
OPENAI_MINUTES_MODEL = READ.text("OPENAI_MINUTES_MODEL", "Model that writes minutes.", default="gpt-5.4-mini")
SPEECH_THREADS = READ.integer(
    "SPEECH_THREADS", "Threads of the speech engine on this machine; 0 uses every core.", default=0, most=256
)

EMAIL_HOST = READ.text("SMTP_HOST", "Mail server; without it mail is written to the log.", default="")
EMAIL_PORT = READ.integer("SMTP_PORT", "Port of the mail server.", default=587, least=1, most=65_535)
EMAIL_HOST_USER = READ.text("SMTP_USER", "Account at the mail server.", default="")
EMAIL_HOST_PASSWORD = READ.text("SMTP_PASSWORD", "Password of that account.", default="")
EMAIL_USE_TLS = EMAIL_PORT == 587
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "django.core.mail.backends.console.EmailBackend"
)
