"""One object of the Space that is put together from parts, over as many requests and processes as it takes.

Nothing is at its key until `complete`. What is under way is named by the key and the id the Space gave it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from chatvista.foundation.problems import PermanentError, TransientError, WorkError
from storage_sync import keys
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.connecting import Space, client_of, in_our_words, says_missing
from storage_sync.sides.contract import Found

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SMALLEST_PART = 5 * 1024 * 1024
MOST_PARTS = 10_000
# Some servers put the object together only now, and answer when it is done.
COMPLETE_SECONDS = 75


class UploadGoneError(PermanentError):
    """The Space knows no such upload (any more): it was completed, aborted, or forgotten."""

    def __init__(self) -> None:
        super().__init__("upload_lost", "The Space has forgotten this upload; begin it anew.")


@dataclass(frozen=True, slots=True)
class Part:
    """What the Space has of one part."""

    number: int
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Multipart:
    """An upload under way, or the name of one that was."""

    side: CloudSide
    key: str
    upload_id: str

    @property
    def client(self) -> S3Client:
        """This process's connection to the store."""
        return self.side.client

    def put(self, *, number: int, source: BinaryIO, md5: bytes) -> str:
        """Send one part; its ETag, which is our own MD5. TransientError where the Space got something else.

        Without an MD5 whatever it got is taken, and what it makes of all parts is to be compared.
        """
        announced: dict[str, Any] = {"ContentMD5": base64.b64encode(md5).decode()} if md5 else {}
        with _of_an_upload():
            answer = self.client.upload_part(
                Bucket=self.side.space.bucket,
                Key=self.key,
                UploadId=self.upload_id,
                PartNumber=number,
                Body=source,
                **announced,
            )
        etag = answer["ETag"].strip('"')
        if md5 and etag != md5.hex():
            raise TransientError("cloud_copy_damaged", "The Space did not keep what it was given.", retry_after=5)
        return etag

    def parts(self) -> Iterator[Part]:
        """All the Space has, in order."""
        after, more = 0, True
        while more:
            with _of_an_upload():
                page = self.client.list_parts(
                    Bucket=self.side.space.bucket, Key=self.key, UploadId=self.upload_id, PartNumberMarker=after
                )
            for part in page.get("Parts", []):
                yield Part(part["PartNumber"], part["Size"], part["ETag"].strip('"'))
            after, more = page.get("NextPartNumberMarker", 0), bool(page.get("IsTruncated"))

    def complete(self, parts: list[Part]) -> Found:
        """Make the object of exactly these parts; what then lies at the key. Twice is as good as once.

        Raises TransientError, UploadGoneError when neither upload nor object is there, PermanentError.
        """
        listed = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]
        failure: WorkError | None = None
        try:
            with _of_an_upload():
                client_of(self.side.space, read=COMPLETE_SECONDS).complete_multipart_upload(
                    Bucket=self.side.space.bucket,
                    Key=self.key,
                    UploadId=self.upload_id,
                    MultipartUpload={"Parts": listed},  # type: ignore[typeddict-item]  # plain dicts of its shape
                )
        except WorkError as error:
            # The answer may be lost although the deed was done; the object says whether it was.
            failure = error
        found = self.side.head(key=self.key)
        if found is None or found.size != sum(part.size for part in parts):
            raise failure or TransientError("cloud_copy_damaged", "The Space did not put the parts together.")
        return found

    def abort(self) -> None:
        """Forget the parts; one that is already forgotten is fine."""
        with contextlib.suppress(UploadGoneError), _of_an_upload():
            self.client.abort_multipart_upload(
                Bucket=self.side.space.bucket, Key=self.key, UploadId=self.upload_id
            )  # fmt: skip

    def link(self, *, number: int, seconds: int) -> str:
        """A URL that takes the bytes of one part from whoever has it, for that long."""
        url: str = self.client.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self.side.space.bucket, "Key": self.key, "UploadId": self.upload_id, "PartNumber": number,
            },
            ExpiresIn=seconds,
        )  # fmt: skip
        return url


def begin(*, side: CloudSide, key: str, content_type: str) -> Multipart:
    """A new upload to a key."""
    keys.require_safe(key)
    with in_our_words():
        answer = side.client.create_multipart_upload(Bucket=side.space.bucket, Key=key, ContentType=content_type)
    return Multipart(side, key, answer["UploadId"])


def names_by_whole(space: Space) -> bool:
    """Whether it is known to give what was put in parts the MD5 of the whole for an ETag, as rclone does."""
    return space in _naming_by_whole


def learn_naming(space: Space, *, etag: str | None, md5: str) -> None:
    """From the ETag of an object of several parts, and the MD5 of the whole of it."""
    if etag == md5:
        _naming_by_whole.add(space)
    else:
        _naming_by_whole.discard(space)


_naming_by_whole: set[Space] = set()


def composite_etag(parts: list[Part]) -> str:
    """The ETag that S3 gives an object of these parts: the MD5 of their MD5s, and how many there are."""
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


@contextlib.contextmanager
def _of_an_upload() -> Iterator[None]:
    with in_our_words():
        try:
            yield
        except ClientError as error:
            if says_missing(error):
                raise UploadGoneError from error
            raise
