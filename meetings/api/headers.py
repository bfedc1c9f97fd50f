"""Headers of requests, as the OpenAPI document describes them."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from chatvista.foundation.headers import IDEMPOTENCY_KEY, IF_MATCH

__all__ = ["DIGEST", "DISPOSITION", "IDEMPOTENCY_KEY", "IF_MATCH", "RANGE"]

RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes, e.g. bytes=0-1023."
)
DISPOSITION = OpenApiParameter(
    "Content-Disposition", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="The name of a raw body: attachment; filename=\"...\" or filename*=UTF-8''... (RFC 6266).",
)  # fmt: skip
DIGEST = OpenApiParameter(
    "Repr-Digest", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="The sha256 of the recording, sha-256=:<base64>: (RFC 9530); 400 `digest_mismatch` when it differs.",
)  # fmt: skip
