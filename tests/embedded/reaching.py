"""Ways into the servers of a stack, from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PARTS = ("DATABASE_URL", "REDIS_URL", "DO_SPACES_ENDPOINT")


def object_store(environ: dict[str, str], *, secret: str | None = None) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=environ["DO_SPACES_ENDPOINT"],
        region_name=environ["DO_SPACES_REGION"],
        aws_access_key_id=environ["DO_SPACES_ACCESS_KEY"],
        aws_secret_access_key=secret or environ["DO_SPACES_SECRET_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def ports_of(environ: dict[str, str]) -> list[int]:
    return [urlsplit(environ[name]).port or 0 for name in PARTS]


def pids(home: Path) -> dict[str, int]:
    return {entry["name"]: int(pid) for pid, entry in json.loads((home / "processes.json").read_text()).items()}
