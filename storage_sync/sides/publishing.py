"""What is public says so in the Space: whoever writes an object below a public prefix gives it to everybody, for ever.

Done where requests are built, so that no way of writing forgets it. Everything else is private, by the Space's default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage_sync import keys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOR_EVER = "public, max-age=31536000, immutable"


def publish_by_key(client: S3Client) -> None:
    """Let every put, upload in parts and copy of this client to a public key make a public, immutable object."""
    for operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
        client.meta.events.register(f"before-parameter-build.s3.{operation}", _publish)


def _publish(params: dict[str, Any], **kwargs: object) -> None:
    if not keys.is_public(params.get("Key", "")):
        return
    params["ACL"] = "public-read"
    # A copy keeps what was said at the first put, which was this.
    if "CopySource" not in params:
        params["CacheControl"] = FOR_EVER
