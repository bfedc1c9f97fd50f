"""Sealing a file that lies open, and opening one that lies sealed: other bytes at another key, on both sides.

The file stays readable throughout: its row is switched by one UPDATE, fenced by the file's lease, when both sides hold
and have proven the new bytes. The old ones are removed at once, everywhere; links to them die with them. Killed before
the UPDATE nothing has changed but notes of what to remove; killed after it only the removing is left.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from chatvista.foundation import audit
from chatvista.foundation.ciphers import SealBrokenError
from chatvista.foundation.leases import LeaseLostError, in_seconds
from chatvista.foundation.problems import Problem, TransientError
from storage_sync import keys
from storage_sync.arriving import settling
from storage_sync.disk import blocks, caching
from storage_sync.fingerprints import BLOCK_BYTES, Fingerprint, Fingerprinting
from storage_sync.giving import reading
from storage_sync.models import BlockDigests, Copy, Node, StoredFile
from storage_sync.sealing import remnants
from storage_sync.sealing.seals import NO_SEAL, Seal, Sealing, new_seal
from storage_sync.sides.cloud import CloudSide, cloud
from storage_sync.sides.contract import nothing
from storage_sync.sides.local import local
from storage_sync.vocabulary import CopyState, FileState, SideName

logger = structlog.get_logger(__name__)

REWRITTEN = (FileState.STORED, FileState.ARCHIVED)
BEAT_SECONDS = 15.0


def rewrite(*, file_id: uuid.UUID, is_confidential: bool, pulse: Callable[[], None] = nothing) -> bool:
    """Make a file lie as wanted; whether anything had to be done. One that is lost or going is left alone.

    Must be called outside any transaction. `pulse` is called often, and what it raises ends the work. Raises
    TransientError `file_busy`, `file_unverified`, `disk_full`, `cloud_unavailable` and the like, PermanentError, and
    Problem 503 while the bytes cannot be read.
    """
    file = _claim(file_id, is_confidential=is_confidential)
    if file is None:
        return False
    with structlog.contextvars.bound_contextvars(file=str(file.pk)):
        try:
            _rewrite(file, new_seal(file.pk) if is_confidential else None, pulse)
        except LeaseLostError as error:
            raise TransientError("file_busy", "The file changed while it was rewritten.", retry_after=5) from error
        except Problem as error:
            if error.code == "file_lost":
                logger.warning("lost_file_not_rewritten")
                return False
            raise
        finally:
            StoredFile.objects.filter(pk=file.pk, lease_token=file.lease_token, state__in=REWRITTEN).update(
                lease_token=None, lease_until=None
            )
    remnants.remove_due()
    return True


def _claim(file_id: uuid.UUID, *, is_confidential: bool) -> StoredFile | None:
    """Hold the file, so that nobody moves it meanwhile; None where there is nothing to do."""
    wanting = StoredFile.objects.filter(pk=file_id, state__in=REWRITTEN).exclude(is_confidential=is_confidential)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    token = uuid.uuid4()
    if wanting.filter(free).update(lease_token=token, lease_until=in_seconds(settling.LEASE_SECONDS)):
        return StoredFile.objects.get(pk=file_id)
    if wanting.exists():
        raise TransientError("file_busy", "Somebody else is moving the file.", retry_after=5)
    return None


def _rewrite(file: StoredFile, seal: Seal | None, pulse: Callable[[], None]) -> None:
    if file.sha256 is None:
        raise TransientError("file_unverified", "The file has not been read and verified yet.", retry_after=30)
    writer, side = uuid.uuid4(), cloud()
    key = _key_at_home(file)
    remnants.intend(key=key, writer=writer)
    beat = _Beat(file, key, writer, pulse)
    try:
        held = _write_here(file, key, seal, beat)
        if side is not None:
            _put(file, key, held, side, beat)
        _switch(file, key, writer, held, seal)
    except BaseException:
        remnants.give_up(key=key, writer=writer)
        raise
    logger.info("file_rewritten", is_sealed=seal is not None, key=key)


class _Beat:
    """The pulse of a rewrite: renews the file's lease and the note of its new key, and passes the caller's on."""

    def __init__(self, file: StoredFile, key: str, writer: uuid.UUID, pulse: Callable[[], None]) -> None:
        self._lease, self._key, self._writer, self._pulse = settling.Lease(file), key, writer, pulse
        self._at = time.monotonic()

    def __call__(self) -> None:
        self._pulse()
        self._lease()
        if time.monotonic() - self._at > BEAT_SECONDS:
            self._at = time.monotonic()
            remnants.still_writing(key=self._key, writer=self._writer)


def _key_at_home(file: StoredFile) -> str:
    """A new version's key, where the state of the file says that its bytes belong."""
    key = keys.sibling_key(file.key)
    return keys.archive_key(key) if file.state == FileState.ARCHIVED else keys.live_key(key)


def _write_here(file: StoredFile, key: str, seal: Seal | None, beat: _Beat) -> Fingerprint:
    """The new bytes on this disk, at their key, read back once and proven."""
    here = local()
    here.lay_out()
    caching.make_room(bytes_needed=2 * file.held_size)
    if here.free_bytes() - file.held_size < settings.DISK_RESERVE_BYTES:
        raise TransientError("disk_full", "There is no room to rewrite the file on this disk.", retry_after=60)
    temp = here.temp_path()
    try:
        held = _pour(file, temp, None if seal is None else Sealing(seal), beat)
        _prove(file, temp, seal, held, beat)
        here.adopt(temp=temp, key=key)
    except SealBrokenError as error:
        raise TransientError("disk_failed", "What was written does not read back right.") from error
    except OSError as error:
        raise TransientError("disk_failed", f"The disk failed: {error.strerror or error}.") from error
    finally:
        temp.unlink(missing_ok=True)
    return held


def _pour(file: StoredFile, temp: Path, sealing: Sealing | None, beat: _Beat) -> Fingerprint:
    taking, digest = Fingerprinting(), hashlib.sha256()
    # A row of its own: a reader looks again where a file has moved, this one must stay what was claimed.
    with reading.opened(StoredFile.objects.get(pk=file.pk)) as source, temp.open("xb", buffering=0) as sink:
        while plain := source.read(BLOCK_BYTES):
            digest.update(plain)
            _write(sink.write, taking, plain if sealing is None else sealing.take(plain))
            beat()
        if sealing is not None:
            _write(sink.write, taking, sealing.finish())
        os.fsync(sink.fileno())
    if digest.hexdigest() != file.sha256:
        raise TransientError("local_copy_damaged", "What was read is not the file.")
    return taking.result()


def _write(write: Callable[[memoryview], int | None], taking: Fingerprinting, chunk: bytes) -> None:
    taking.update(chunk)
    view = memoryview(chunk)
    while view:
        view = view[write(view) or 0 :]


def _prove(file: StoredFile, temp: Path, seal: Seal | None, held: Fingerprint, beat: _Beat) -> None:
    """Open what was written: the old bytes go, and with them every chance to notice a mistake."""
    digest, source = hashlib.sha256(), temp.open("rb")
    with source if seal is None else seal.unsealed(source, sealed_size=held.size) as plain:
        while block := plain.read(BLOCK_BYTES):
            digest.update(block)
            beat()
    if digest.hexdigest() != file.sha256:
        raise TransientError("disk_failed", "What was written does not read back right.")


def _put(file: StoredFile, key: str, held: Fingerprint, side: CloudSide, beat: _Beat) -> None:
    with local().path(key).open("rb", buffering=0) as source:
        side.put(key=key, source=source, size=held.size, content_type=file.content_type, pulse=beat)
    found = side.head(key=key)
    if found is None or found.size != held.size or found.etag not in held.etags:
        raise TransientError("cloud_copy_damaged", "The Space did not keep what it was given.", retry_after=30)


def _switch(file: StoredFile, key: str, writer: uuid.UUID, held: Fingerprint, seal: Seal | None) -> None:
    """The one moment: before it the file is the old bytes, after it the new ones."""
    with transaction.atomic(durable=True):
        ours = StoredFile.objects.filter(
            pk=file.pk, lease_token=file.lease_token, lease_until__gt=Now(), state=file.state, key=file.key
        )
        switched = ours.update(
            key=key,
            other_key="",
            other_key_until=None,
            is_confidential=seal is not None,
            md5=held.md5,
            composite_md5=held.composite_md5,
            lease_token=None,
            lease_until=None,
            updated_at=Now(),
            **(NO_SEAL if seal is None else seal.columns(held)),
        )
        if not switched:
            raise LeaseLostError(f"{file.pk} changed meanwhile")
        remnants.keep(key=key, writer=writer)
        nodes = set(Copy.objects.filter(file=file, side=SideName.LOCAL).values_list("node", flat=True))
        old = {file.key, keys.other_name(file.key), file.other_key} - {""}
        remnants.leave(keys=old, nodes=nodes | {settings.STORAGE_NODE})
        _note_copies(file)
        BlockDigests.objects.filter(file=file).delete()
        now = StoredFile.objects.get(pk=file.pk)
        if blocks.are_wanted(now):
            BlockDigests.objects.create(file=now, digests=held.blocks)
        action = "file.unsealed" if seal is None else "file.sealed"
        audit.record(action=action, target_kind="file", target_id=file.pk, tenant_id=file.tenant_id)


def _note_copies(file: StoredFile) -> None:
    """This node and the Space have the new bytes; other nodes have none, and durable ones are to fetch them."""
    settling.note_copy(file=file, side=SideName.LOCAL, node=settings.STORAGE_NODE, state=CopyState.PRESENT)
    if cloud() is not None:
        settling.note_copy(file=file, side=SideName.CLOUD, state=CopyState.PRESENT)
    others = Copy.objects.filter(file=file, side=SideName.LOCAL).exclude(node=settings.STORAGE_NODE)
    gone = {"state": CopyState.MISSING, "lease_token": None, "lease_until": None, "updated_at": Now()}
    others.update(**gone, next_attempt_at=None)
    durable = Node.objects.filter(is_durable=True, died_at__isnull=True).values("name")
    others.filter(node__in=durable).update(next_attempt_at=Now())
