"""How we speak to the Space: one client per process, short patience, and errors in our own words."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import boto3.session
import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from chatvista.foundation.problems import PermanentError, TransientError
from storage_sync.sides.contract import MissingObjectError, OccupiedKeyError
from storage_sync.sides.publishing import publish_by_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# A Space that hangs is given up within a minute: the platform cuts requests after 100 s. What is sent waits as long as
# a connection does (urllib3 knows no third term), so three seconds would be short for a busy line.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 10, 15, 3
NOT_THERE = {"404", "NoSuchKey", "NotFound", "NoSuchUpload"}
BUSY = {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequests", "RequestTimeTooSkewed"}


@dataclass(frozen=True, slots=True)
class Space:
    """Which bucket, where, and with whose key. The secret never shows."""

    endpoint: str
    region: str
    bucket: str
    access_key: str
    addressing: Literal["virtual", "path"]
    secret_key: str = field(repr=False)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether nobody is in between: then signing what is sent would only be one more pass over every byte."""
        return urlsplit(self.endpoint).hostname in {"127.0.0.1", "::1", "localhost"}


def configured_space() -> Space | None:
    """The Space of the settings, or None where there is none."""
    if not settings.SPACES_ENDPOINT or not settings.SPACES_BUCKET:
        return None
    return Space(
        endpoint=settings.SPACES_ENDPOINT,
        region=settings.SPACES_REGION,
        bucket=settings.SPACES_BUCKET,
        access_key=settings.SPACES_ACCESS_KEY,
        addressing="path" if settings.SPACES_ADDRESSING == "path" else "virtual",
        secret_key=settings.SPACES_SECRET_KEY,
    )


def new_client(
    space: Space, *, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS, attempts: int = ATTEMPTS
) -> S3Client:
    """A client of its own, for whoever wants another patience than `client_of` gives, or an end of its connections."""
    config = Config(
        signature_version="s3v4",
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=16,
        # Since boto3 1.36 the defaults send checksums in trailers, which Spaces and most S3 servers do not know.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": space.addressing, "payload_signing_enabled": not space.is_on_this_machine},
    )
    with _making:
        client = _session().client(
            "s3",
            endpoint_url=space.endpoint,
            region_name=space.region,
            aws_access_key_id=space.access_key,
            aws_secret_access_key=space.secret_key,
            config=config,
        )
    publish_by_key(client)
    return client


@lru_cache(maxsize=1)
def _session() -> boto3.session.Session:
    """One for all clients: each would read a model of S3 of its own (12 MiB, 50 ms). Not for two threads at once."""
    return boto3.session.Session()


_clients: dict[tuple[Space, float, int], S3Client] = {}
_making = threading.RLock()


def client_of(space: Space, *, read: float = READ_SECONDS, attempts: int = ATTEMPTS) -> S3Client:
    """This process's client of that patience: its connections must not be shared with a forked child."""
    wanted = (space, read, attempts)
    found = _clients.get(wanted)
    if found is None:
        with _making:
            found = _clients.get(wanted)
            if found is None:
                found = _clients[wanted] = new_client(space, read=read, attempts=attempts)
    return found


def _start_anew() -> None:
    global _making  # noqa: PLW0603  a lock held by another thread at the fork would stay held for ever
    _making = threading.RLock()
    _clients.clear()


os.register_at_fork(after_in_child=_start_anew)


def says_missing(error: ClientError) -> bool:
    """Whether the answer means that there is no such object."""
    return str(error.response.get("Error", {}).get("Code", "")) in NOT_THERE


@contextlib.contextmanager
def in_our_words() -> Iterator[None]:
    """Turn what boto3 raises into TransientError `cloud_unavailable` or PermanentError `cloud_refused`."""
    try:
        yield
    except (MissingObjectError, OccupiedKeyError):
        raise
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in BUSY or status >= 500 or status in {0, 429}:
            raise TransientError(
                "cloud_unavailable", f"The Space is busy or failing ({code}).", retry_after=5
            ) from error
        raise PermanentError("cloud_refused", f"The Space refused: {code}. Check DO_SPACES_*.") from error
    except (BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
        detail = f"The Space cannot be reached ({type(error).__name__})."
        raise TransientError("cloud_unavailable", detail, retry_after=5) from error
