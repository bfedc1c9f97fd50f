"""The cloud side: one bucket of an S3-compatible store. Objects appear whole, or not at all."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from chatvista.foundation.problems import PermanentError, TransientError, WorkError
from storage_sync import keys
from storage_sync.fingerprints import PART_BYTES
from storage_sync.sides.connecting import (
    ATTEMPTS,
    READ_SECONDS,
    Space,
    client_of,
    configured_space,
    in_our_words,
    says_missing,
)
from storage_sync.sides.contract import (
    CHUNK_BYTES,
    PAGE_KEYS,
    Found,
    MissingObjectError,
    OccupiedKeyError,
    Page,
    nothing,
)
from storage_sync.sides.slices import slices_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectRequestTypeDef

T = TypeVar("T")
R = TypeVar("R")
PARTS_AT_ONCE = 3
PULSE_SECONDS = 2.0
READ_ATTEMPTS = 3
LARGEST_COPY = 5 * 1024**3
COPY_SECONDS = 300
ABORT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class OpenMultipart:
    """An upload in parts that somebody has begun."""

    key: str
    upload_id: str
    begun_at: dt.datetime


@dataclass(frozen=True, slots=True)
class CloudSide:
    """The objects of one bucket. `read_seconds` (for one answer) and `attempts` are our patience."""

    space: Space
    read_seconds: float = READ_SECONDS
    attempts: int = ATTEMPTS

    @property
    def client(self) -> S3Client:
        """This process's connection to the store."""
        return client_of(self.space, read=self.read_seconds, attempts=self.attempts)

    def put(
        self, *, key: str, source: BinaryIO, size: int, content_type: str, pulse: Callable[[], None] = nothing
    ) -> None:
        """One PUT up to 16 MiB, a multipart upload above, aborted when anything goes wrong."""
        # Keys are unique, so this race-prone look is only there for a caller's mistake. If-None-Match would be
        # exact, but not every store honours it.
        if self.head(key=key) is not None:
            raise OccupiedKeyError(key)
        if size <= PART_BYTES:
            [piece] = slices_of(source, size, PART_BYTES)
            _in_threads(lambda part: self._put_whole(key, part, content_type), iter([piece]), pulse)
        else:
            self._put_in_parts(key, source, size, content_type, pulse)

    def read(self, *, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of an object, or of a part of it; a connection that breaks is taken up where it broke."""
        keys.require_safe(key)
        at, end, etag, failures = start, None if length is None else start + length, "", 0
        while end is None or at < end:
            reached = at
            try:
                with in_our_words():
                    answer = self._get(key, at, end)
                    if answer is None:
                        return
                    with contextlib.closing(answer["Body"]) as body:
                        _require_same(answer, at=at, is_part=bool(at or end is not None), etag=etag)
                        etag = answer["ETag"]
                        for chunk in body.iter_chunks(CHUNK_BYTES):
                            at += len(chunk)
                            yield chunk
                        return
            except TransientError:
                failures = 1 if at > reached else failures + 1
                if failures == READ_ATTEMPTS:
                    raise

    def head(self, *, key: str) -> Found | None:
        """Size, time and ETag of an object."""
        keys.require_safe(key)
        with in_our_words():
            try:
                answer = self.client.head_object(Bucket=self.space.bucket, Key=key)
            except ClientError as error:
                if says_missing(error):
                    return None
                raise
        return Found(key, answer["ContentLength"], answer["LastModified"], answer["ETag"].strip('"'))

    def delete(self, *, key: str) -> None:
        """Delete one object. One by one: bulk deletion wants a Content-MD5 that boto3 no longer sends."""
        keys.require_safe(key)
        with in_our_words():
            self.client.delete_object(Bucket=self.space.bucket, Key=key)

    def copy(self, *, key: str, to: str) -> None:
        """Copy inside the store; above 5 GiB in the same parts a put would use."""
        if self.head(key=keys.require_safe(to)) is not None:
            raise OccupiedKeyError(to)
        config = TransferConfig(multipart_threshold=LARGEST_COPY, multipart_chunksize=PART_BYTES, use_threads=False)
        source: Any = {"Bucket": self.space.bucket, "Key": keys.require_safe(key)}
        with in_our_words():
            try:
                # A copy is answered when it is done, which takes a large object longer than any read.
                client_of(self.space, read=COPY_SECONDS).copy(source, self.space.bucket, to, Config=config)
            except ClientError as error:
                if says_missing(error):
                    raise MissingObjectError(key) from error
                raise

    def page(self, *, prefix: str = "", after: str | None = None, limit: int = PAGE_KEYS) -> Page:
        """One page of the listing."""
        with in_our_words():
            answer = self.client.list_objects_v2(
                Bucket=self.space.bucket, Prefix=prefix, StartAfter=after or "", MaxKeys=limit
            )
        found = [
            Found(item["Key"], item["Size"], item["LastModified"], item["ETag"].strip('"'))
            for item in answer.get("Contents", [])
        ]
        if answer["IsTruncated"] and not found:
            # Taken for the end of the list, it would make everything behind it look missing.
            raise TransientError("cloud_listing_broken", "The Space says that its list goes on, and does not go on.")
        return Page(found, found[-1].key if answer["IsTruncated"] else None)

    def open_multiparts(self, *, before: dt.datetime) -> Iterator[OpenMultipart]:
        """The uploads in parts that were begun before then, and neither completed nor aborted."""
        key_marker = id_marker = ""
        while True:
            with in_our_words():
                try:
                    page = self.client.list_multipart_uploads(
                        Bucket=self.space.bucket, KeyMarker=key_marker, UploadIdMarker=id_marker
                    )
                except ClientError as error:
                    if says_missing(error):
                        return  # what some servers say where there never was one
                    raise
            for item in page.get("Uploads", []):
                if item["Initiated"] < before:
                    yield OpenMultipart(item["Key"], item["UploadId"], item["Initiated"])
            reached = page.get("NextKeyMarker", ""), page.get("NextUploadIdMarker", "")
            if not page.get("IsTruncated") or reached == (key_marker, id_marker):
                return
            key_marker, id_marker = reached

    def abort_multipart(self, *, key: str, upload_id: str) -> None:
        """Forget the parts of an upload; one that is no longer there is fine. Nobody waits long for this."""
        with in_our_words():
            try:
                client_of(self.space, read=ABORT_SECONDS, attempts=1).abort_multipart_upload(
                    Bucket=self.space.bucket, Key=key, UploadId=upload_id
                )
            except ClientError as error:
                if not says_missing(error):
                    raise

    def _get(self, key: str, start: int, end: int | None) -> Any:
        """The answer to a GET from `start`, or None when the object ends before that."""
        asked: GetObjectRequestTypeDef = {"Bucket": self.space.bucket, "Key": key}
        if start or end is not None:
            asked["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            return self.client.get_object(**asked)
        except ClientError as error:
            if says_missing(error):
                raise MissingObjectError(key) from error
            if error.response.get("Error", {}).get("Code") in {"InvalidRange", "416"}:
                return None
            raise

    def _put_whole(self, key: str, part: BinaryIO, content_type: str) -> None:
        with in_our_words(), part:
            self.client.put_object(Bucket=self.space.bucket, Key=key, Body=part, ContentType=content_type)

    def _put_in_parts(
        self, key: str, source: BinaryIO, size: int, content_type: str, pulse: Callable[[], None]
    ) -> None:
        with in_our_words():
            upload = self.client.create_multipart_upload(
                Bucket=self.space.bucket, Key=key, ContentType=content_type
            )["UploadId"]  # fmt: skip
        try:
            numbered = enumerate(slices_of(source, size, PART_BYTES), start=1)
            parts = _in_threads(lambda part: self._put_part(key, upload, *part), numbered, pulse)
            parts.sort(key=lambda part: part["PartNumber"])
            self._complete(key, upload, parts, size)
        except BaseException:
            # Parts that nobody completes cost money for thirty days.
            with contextlib.suppress(WorkError):
                self.abort_multipart(key=key, upload_id=upload)
            raise

    def _put_part(self, key: str, upload: str, number: int, part: BinaryIO) -> CompletedPartTypeDef:
        with in_our_words(), part:
            answer = self.client.upload_part(
                Bucket=self.space.bucket, Key=key, UploadId=upload, PartNumber=number, Body=part
            )
        return {"ETag": answer["ETag"], "PartNumber": number}

    def _complete(self, key: str, upload: str, parts: list[CompletedPartTypeDef], size: int) -> None:
        try:
            with in_our_words():
                self.client.complete_multipart_upload(
                    Bucket=self.space.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
                )
        except WorkError:
            # The answer may be lost although the deed was done; then a repetition says that there is no such upload.
            found = self.head(key=key)
            if found is None or found.size != size:
                raise


def _require_same(answer: Any, *, at: int, is_part: bool, etag: str) -> None:
    """The answer is of the object we began to read, and begins where we asked (a server may ignore a range)."""
    if etag and answer["ETag"] != etag:
        raise PermanentError("cloud_changed", "The object changed while it was read.")
    # The status proves nothing: some servers answer a range with 200 and the right bytes.
    if is_part and not answer.get("ContentRange", "").startswith(f"bytes {at}-"):
        raise PermanentError("cloud_ignores_ranges", "The Space does not answer range requests.")


def cloud() -> CloudSide | None:
    """The cloud side, or None where no Space is configured."""
    space = configured_space()
    return None if space is None else CloudSide(space)


def _in_threads(work: Callable[[T], R], items: Iterator[T], pulse: Callable[[], None]) -> list[R]:
    """Do the work a few items at a time, `pulse` beating in the caller's thread; the first failure ends it."""
    done: list[R] = []
    running: set[Future[R]] = set()
    with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="cloud-put") as pool:
        try:
            exhausted = False
            while running or not exhausted:
                while not exhausted and len(running) < PARTS_AT_ONCE:
                    item = next(items, None)
                    exhausted = item is None
                    if item is not None:
                        running.add(pool.submit(work, item))
                finished, running = wait(running, timeout=PULSE_SECONDS, return_when=FIRST_COMPLETED)
                done.extend(future.result() for future in finished)
                pulse()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return done
