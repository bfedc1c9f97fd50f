"""Where files live: the local tree, the Space, and the limits of what is taken in."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from chatvista.settings.base import STATIC_IS_COLLECTED
from chatvista.settings.environment import READER as READ

MIB = 1024 * 1024

STORAGE_PATH = Path(
    READ.text("CHATVISTA_STORAGE_PATH", "Folder of the local side of every file.", default="/app/storage")
)
STORAGE_NODE = (
    READ.text(
        "CHATVISTA_NODE",
        "Name of the machine or container that holds this local side; its host name by default.",
        default="",
    )
    or socket.gethostname()
)
DISK_DURABLE = READ.boolean(
    "CHATVISTA_DISK_DURABLE",
    "Whether the local disk outlives the container (a volume); false on App Platform.",
    default=False,
)
STORAGE_ACK = READ.choice(
    "STORAGE_ACK",
    "An upload is acknowledged when both sides have verified it (201); with local, when this disk has it (202).",
    default="both",
    options=("both", "local"),
)
if STORAGE_ACK == "local" and not DISK_DURABLE:
    READ.fault(
        "STORAGE_ACK",
        "is local although the local disk is not declared durable",
        "Set CHATVISTA_DISK_DURABLE=true if this disk is a volume that outlives the container, or leave this out.",
    )
DISK_RESERVE_BYTES = READ.integer(
    "DISK_RESERVE_BYTES", "Uploads are refused with 507 rather than leave less free disk than this.", default=256 * MIB
)
LOCAL_CACHE_BYTES = READ.integer(
    "LOCAL_CACHE_BYTES",
    "Verified files this disk keeps beside the Space before the least recently used go; 0 for as many as fit.",
    default=0,
)
MAX_BODY_BYTES = READ.integer(
    "MAX_BODY_BYTES", "Largest body taken through the API, in bytes.", default=64 * MIB, least=MIB
)
ORGANIZATION_QUOTA_BYTES = READ.integer(
    "ORGANIZATION_QUOTA_BYTES",
    "Bytes one organization may keep unless its own quota says otherwise.",
    default=1024**4,
    least=1,
)
LINK_SECONDS = READ.integer(
    "LINK_SECONDS", "How long a download link works, in seconds.", default=900, least=30, most=604_800
)

UPLOAD_CHUNK_BYTES = READ.integer(
    "UPLOAD_CHUNK_BYTES", "Chunk that resumable uploads are asked to use, in bytes.", default=16 * MIB, least=5 * MIB
)
LARGEST_UPLOAD_BYTES = READ.integer(
    "LARGEST_UPLOAD_BYTES",
    "Largest file taken in parts, in bytes; an object has 10,000 parts of 16 MiB at most.",
    default=50 * 1024**3,
    least=MIB,
    most=10_000 * 16 * MIB,
)
UPLOAD_SECONDS = READ.integer(
    "UPLOAD_SECONDS",
    "How long an unfinished resumable upload is kept, in seconds.",
    default=604_800,
    least=60,
    most=2_592_000,
)
SYNC_CONCURRENCY = READ.integer(
    "SYNC_CONCURRENCY", "Transfers between the sides that one process has under way.", default=16, least=1, most=64
)
SCRUB_DAYS = READ.integer("SCRUB_DAYS", "Every byte is read again within this many days.", default=30, least=1)
NODE_DEAD_SECONDS = READ.integer(
    "NODE_DEAD_SECONDS",
    "A node is dead after this long without a heartbeat, and its local copies no longer count.",
    default=120,
    least=10,
)
CDN_CATEGORIES = READ.words(
    "CDN_CATEGORIES",
    "Categories whose links lead through the CDN, comma-separated; avatars always do where there is one.",
    default="",
)

_SPACES_VARIABLES = ("DO_SPACES_ENDPOINT", "DO_SPACES_BUCKET", "DO_SPACES_ACCESS_KEY", "DO_SPACES_SECRET_KEY")
SPACES_ENDPOINT = READ.url(
    "DO_SPACES_ENDPOINT",
    "The Spaces endpoint, e.g. https://fra1.digitaloceanspaces.com.",
    schemes=("https", "http"),
    default="",
)
SPACES_REGION = READ.text("DO_SPACES_REGION", "The Space's region, e.g. fra1.", default="us-east-1")
SPACES_BUCKET = READ.text(
    "DO_SPACES_BUCKET", "Name of the Space.", default="", pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
)
SPACES_ACCESS_KEY = READ.text("DO_SPACES_ACCESS_KEY", "Access key with read and write on the Space.", default="")
SPACES_SECRET_KEY = READ.text("DO_SPACES_SECRET_KEY", "The secret that belongs to DO_SPACES_ACCESS_KEY.", default="")
SPACES_CDN_ENDPOINT = READ.url(
    "DO_SPACES_CDN_ENDPOINT",
    "The Space's CDN endpoint, for public immutable assets.",
    schemes=("https", "http"),
    default="",
)
SPACES_ADDRESSING = READ.choice(
    "DO_SPACES_ADDRESSING",
    "virtual for Spaces; path for S3 servers on one machine.",
    default="virtual",
    options=("virtual", "path"),
)
if any(READ.is_given(name) for name in _SPACES_VARIABLES):
    for _name in _SPACES_VARIABLES:
        if not READ.is_given(_name):
            READ.fault(_name, "is not set", "The Space is configured in part: give all DO_SPACES_* variables, or none.")
elif not DISK_DURABLE:
    READ.fault(
        "DO_SPACES_ENDPOINT",
        "is not set and the local disk is not declared durable",
        "Nothing would survive the container: give DO_SPACES_*, or set CHATVISTA_DISK_DURABLE=true on a volume.",
    )

# The Django-facing view of the same Space. Bulk bytes move through storage_sync.sides, which know about
# checksums and never leave a truncated object behind.
_SPACES: dict[str, Any] = {
    "endpoint_url": SPACES_ENDPOINT or None,
    "region_name": SPACES_REGION,
    "bucket_name": SPACES_BUCKET,
    "access_key": SPACES_ACCESS_KEY,
    "secret_key": SPACES_SECRET_KEY,
    "addressing_style": SPACES_ADDRESSING,
    "signature_version": "s3v4",
    "default_acl": None,
    "querystring_auth": True,
    "querystring_expire": LINK_SECONDS,
    "file_overwrite": False,
}
STORAGES = {
    "default": {"BACKEND": "storage_sync.storage.LedgerStorage"},
    "spaces": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _SPACES},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * MIB
