"""The cloud side for many bytes at once: the same bucket through obstore, whose transfers leave the interpreter free.

It tries nothing twice: who calls decides when, and what to look at before. A PUT tells the ETag that the store has
computed from what arrived.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from chatvista.foundation.problems import PermanentError, TransientError
from storage_sync import keys
from storage_sync.fingerprints import PART_BYTES
from storage_sync.sides.cloud import CloudSide
from storage_sync.sides.connecting import BUSY, Space, configured_space, in_our_words
from storage_sync.sides.contract import CHUNK_BYTES, PAGE_KEYS, Found, MissingObjectError

if TYPE_CHECKING:
    from obstore import ObjectMeta

PARTS_AT_ONCE = 3
PUT_IN_PARTS_BYTES = (PARTS_AT_ONCE + 3) * PART_BYTES
"""Memory of one put in parts: those under way and the next, the one being filled, and the one being read."""
QUICK_BYTES = 1024 * 1024
# What is small is answered soon or not at all; a part of 16 MiB may take its time on a slow line.
CONNECT_SECONDS, QUICK_SECONDS, PATIENT_SECONDS = 5, 20, 120
GARBLED = {"BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "RequestTimeout", "InvalidDigest"}
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")


class BusyCloudError(TransientError):
    """The Space asks us to slow down."""


@dataclass(frozen=True, slots=True)
class BulkSide(CloudSide):
    """The objects of one bucket, as `CloudSide` sees them."""

    def head(self, *, key: str) -> Found | None:
        """Size, time and ETag of an object."""
        keys.require_safe(key)
        with _in_our_words():
            try:
                return _found(obstore.head(_store_of(self.space, QUICK_SECONDS), key))
            except FileNotFoundError:
                return None

    def read(self, *, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """As CloudSide, which takes broken connections up where they broke; what is small comes in one piece."""
        keys.require_safe(key)
        if not start and length is None:
            with _in_our_words():
                try:
                    answer = obstore.get(_store_of(self.space, PATIENT_SECONDS), key)
                    if answer.meta["size"] <= PART_BYTES:
                        whole = memoryview(answer.bytes())
                        yield from (bytes(whole[at : at + CHUNK_BYTES]) for at in range(0, len(whole), CHUNK_BYTES))
                        return
                except FileNotFoundError as error:
                    raise MissingObjectError(key) from error
        # Explicitly: a dataclass with slots is another class than the one that super() would find.
        yield from CloudSide.read(self, key=key, start=start, length=length)

    def put_bytes(self, *, key: str, data: bytes, content_type: str) -> str:
        """One PUT, over whatever is there; the ETag the store gives it."""
        if keys.is_public(keys.require_safe(key)):
            return self._put_public(key=key, body=data, content_type=content_type)
        store = _store_of(self.space, QUICK_SECONDS if len(data) <= QUICK_BYTES else PATIENT_SECONDS)
        with _in_our_words():
            done = obstore.put(store, key, data, attributes={"Content-Type": content_type}, use_multipart=False)
        return (done["e_tag"] or "").strip('"')

    def put_in_parts(self, *, key: str, path: Path, content_type: str) -> str:
        """A multipart upload in parts of 16 MiB, aborted when one fails; the ETag the store gives it."""
        if keys.is_public(keys.require_safe(key)):
            with path.open("rb") as body:
                return self._put_public(key=key, body=body, content_type=content_type)
        store = _store_of(self.space, PATIENT_SECONDS)

        def put() -> str:
            done = obstore.put(
                store,
                key,
                path,
                attributes={"Content-Type": content_type},
                use_multipart=True,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
            return (done["e_tag"] or "").strip('"')

        with _in_our_words():
            return _in_passing_thread(put)

    def _put_public(self, *, key: str, body: bytes | BinaryIO, content_type: str) -> str:
        """By the client that tells the Space who may read it, which obstore cannot. Avatars are few and small."""
        with in_our_words():
            done = self.client.put_object(Bucket=self.space.bucket, Key=key, Body=body, ContentType=content_type)
        return done["ETag"].strip('"')

    def listed(self, *, prefix: str, after: str) -> Iterator[list[Found]]:
        """Everything below a folder from behind `after`, page by page in the order of keys."""
        with _in_our_words():
            store = _store_of(self.space, QUICK_SECONDS)
            for page in obstore.list(store, prefix, offset=after, chunk_size=PAGE_KEYS):
                yield [_found(item) for item in page]


def bulk() -> BulkSide | None:
    """The cloud side for many bytes, or None where no Space is configured."""
    space = configured_space()
    return None if space is None else BulkSide(space)


_stores: dict[tuple[Space, int], S3Store] = {}
_making = threading.Lock()
_was_inherited = False


def _store_of(space: Space, seconds: int) -> S3Store:
    if _was_inherited:
        raise RuntimeError("obstore was used before this process was forked: its threads did not come along")
    found = _stores.get((space, seconds))
    if found is None:
        with _making:
            found = _stores.get((space, seconds))
            if found is None:
                found = _stores[space, seconds] = _new_store(space, seconds)
    return found


def _new_store(space: Space, seconds: int) -> S3Store:
    is_virtual = space.addressing == "virtual"
    scheme, _, host = space.endpoint.partition("://")
    return S3Store(
        space.bucket,
        # Virtual addressing wants the bucket in the endpoint already.
        endpoint=f"{scheme}://{space.bucket}.{host}" if is_virtual else space.endpoint,
        virtual_hosted_style_request=is_virtual,
        region=space.region,
        access_key_id=space.access_key,
        secret_access_key=space.secret_key,
        # Spaces refuses what is unsigned; on this machine nobody is in between who could change it.
        unsigned_payload=scheme == "http" and space.is_on_this_machine,
        client_options={
            "allow_http": scheme == "http",
            "connect_timeout": f"{CONNECT_SECONDS}s",
            "timeout": f"{seconds}s",
            "pool_idle_timeout": "15s",
        },
        retry_config={"max_retries": 0},
    )


def _start_anew() -> None:
    global _making, _was_inherited  # noqa: PLW0603  a lock held by another thread at the fork would stay held
    _making = threading.Lock()
    # The threads behind obstore are its process's own: a child that used them would wait for ever.
    _was_inherited = _was_inherited or bool(_stores)
    _stores.clear()


os.register_at_fork(after_in_child=_start_anew)


def _in_passing_thread(work: Callable[[], str]) -> str:
    """Do it in a thread that ends with it: glibc would keep the parts' memory for every thread that lived on."""
    done: Future[str] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits
            done.set_exception(error)

    threading.Thread(target=run, name="put-in-parts", daemon=True).start()
    return done.result()


def _found(item: ObjectMeta) -> Found:
    return Found(item["path"], item["size"], item["last_modified"], (item["e_tag"] or "").strip('"'))


@contextlib.contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn what obstore raises into BusyCloudError, TransientError or PermanentError; no address, no key in them."""
    try:
        yield
    except MissingObjectError:
        raise
    except FileNotFoundError as error:
        raise PermanentError(
            "cloud_refused", "The Space refused: there is no such bucket. Check DO_SPACES_*."
        ) from error
    except BaseError as error:
        raise _translated(error) from error


def _code(error: BaseError) -> str:
    found = _CODE.search(str(error))
    return found.group(1) if found else "without a code"


def _translated(error: BaseError) -> TransientError | PermanentError:
    said = _STATUS.search(str(error))
    status, code = int(said.group(1)) if said else 0, _code(error)
    if code in GARBLED:
        return TransientError("cloud_garbled", f"The Space did not get what was sent ({code}).", retry_after=1)
    if code in BUSY or status in {429, 503}:
        return BusyCloudError("cloud_busy", f"The Space is busy ({code}).", retry_after=5)
    if 400 <= status < 500:
        return PermanentError("cloud_refused", f"The Space refused: {status} {code}. Check DO_SPACES_*.")
    return TransientError("cloud_unavailable", f"The Space cannot be reached or fails ({status or 'no answer'}).")
