"""Finishing an upload: from all its bytes to a stored file with an owner, exactly once, whoever dies in between.

Up to the last transaction nothing is visible, and everything before it may be done again: putting the parts together,
reading them once, giving the local copy its key. Whoever finds an upload `finishing` under a lapsed lease does so.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from chatvista.foundation.heartbeats import beating
from chatvista.foundation.leases import LeaseLostError
from chatvista.foundation.problems import Problem, TransientError, WorkError
from storage_sync.arriving.intake import disk_problem
from storage_sync.fingerprints import Fingerprint
from storage_sync.models import Upload, UploadKind, UploadState
from storage_sync.sides import multiparts
from storage_sync.sides.cloud import cloud
from storage_sync.sides.contract import MissingObjectError, OccupiedKeyError
from storage_sync.sides.local import local
from storage_sync.sides.multiparts import Multipart, Part, UploadGoneError
from storage_sync.uploading import appending, ending, holding, purposes, resealing, storing
from storage_sync.uploading.gathering import TooSlowError, fingerprint_of, gathered
from storage_sync.uploading.holding import Hold

logger = structlog.get_logger(__name__)

# More than this, or more than can be read in that time, is verified by a job: the platform cuts requests after 100 s.
AT_ONCE_BYTES = 1024**3
AT_ONCE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class _Bytes:
    """What was uploaded, as far as it is known now: all of it read and hashed, or not yet."""

    parts: list[Part]
    fingerprint: Fingerprint | None
    path: Path | None


def finish(hold: Hold, *, is_patient: bool = False) -> Upload:
    """Make the file. Returning means that it is stored; for large ones a job then verifies it.

    `is_patient` where no client waits: a large confidential file is sealed anew as a whole, in the background.

    Raises:
        Problem: why it is refused for good (the upload has then failed); 423 `upload_locked` when somebody else
            finishes it, 503 `storage_unavailable` when it is to be tried again.
    """
    try:
        with beating(hold.renew, every=holding.LEASE_SECONDS / 4, name=f"upload-{hold.upload.pk}") as lost:

            def pulse(_: int = 0) -> None:
                if lost.is_set():
                    raise LeaseLostError(f"{hold.upload.pk} is no longer ours")

            _finish(hold, pulse, is_patient=is_patient)
    except LeaseLostError as error:
        hold.upload.refresh_from_db()
        if hold.upload.state != UploadState.FINISHED:
            raise holding.locked() from error
    except UploadGoneError as error:
        raise fail(hold, Problem("upload_gone", error.detail, status=410)) from error
    except Problem as problem:
        if problem.status >= 500:
            raise
        raise fail(hold, problem) from problem
    except (WorkError, MissingObjectError) as error:
        logger.warning("upload_not_finished_yet", upload=str(hold.upload.pk), error=str(error))
        detail = "Everything has come, but could not be stored yet; ask again."
        raise Problem("storage_unavailable", detail, status=503, retry_after=5) from error
    return hold.upload


def resume(upload: Upload, *, is_patient: bool = False) -> Upload:
    """Finish what somebody else has left unfinished; the upload as it is otherwise. Raises what `finish` raises."""
    if upload.state == UploadState.OPEN and upload.kind == UploadKind.CHUNKS and upload.offset == upload.size > 0:
        if not holding.complete(Upload.objects.filter(pk=upload.pk)):
            raise holding.locked()
        upload.refresh_from_db()
    if upload.state != UploadState.FINISHING:
        return upload
    hold = holding.hold(upload_id=upload.pk, state=UploadState.FINISHING)
    try:
        return finish(hold, is_patient=is_patient)
    finally:
        hold.let_go()


def fail(hold: Hold, problem: Problem) -> Problem:
    """Write down that nothing will come of it, and why; gives the problem back. What it left is removed."""
    why = {"code": problem.code, "detail": problem.detail, "status": problem.status}
    if hold.rows().update(state=UploadState.FAILED, problem=why, lease_token=None, lease_until=None):
        hold.upload.refresh_from_db()
        logger.info("upload_failed", upload=str(hold.upload.pk), code=problem.code)
        ending.clean_up(hold.upload)
    return problem


def _finish(hold: Hold, pulse: storing.Pulse, *, is_patient: bool) -> None:
    upload = hold.upload
    try:
        purpose = purposes.of(upload)
    except LookupError as error:
        raise TransientError("unknown_purpose", "This version does not know this kind of upload.") from error
    purpose.refuse(upload)
    if upload.is_confidential:
        side = cloud()
        if side is None or (upload.size > AT_ONCE_BYTES and not is_patient):
            raise TransientError("finished_in_background", "A file of this size is sealed in the background.")
        resealing.store_sealed(hold=hold, purpose=purpose, side=side, pulse=pulse)
        return
    with _bytes_of(upload, pulse) as found:
        _require_declared(upload, found.fingerprint)
        with storing.readable(upload, found.path) as source:
            facts = purpose.probe(upload, source)
        pulse(0)
        is_local = _adopt(found, upload)
        storing.store(
            hold=hold, parts=found.parts, fingerprint=found.fingerprint, facts=facts, purpose=purpose, is_local=is_local
        )


@contextlib.contextmanager
def _bytes_of(upload: Upload, pulse: storing.Pulse) -> Iterator[_Bytes]:
    """Everything that was uploaded, at its key in the Space (or here), read once where there is time."""
    side, until = cloud(), time.monotonic() + AT_ONCE_SECONDS
    if side is None:
        path = _file_here(upload)
        fingerprint = None
        if upload.size <= AT_ONCE_BYTES:
            with contextlib.suppress(TooSlowError):
                fingerprint = fingerprint_of(path, pulse=pulse, until=until)
        yield _Bytes([], fingerprint, path)
        return
    parts = [Part(part["number"], part["size"], part["etag"]) for part in upload.parts]
    found = Multipart(side, upload.key, upload.multipart_id).complete(parts)
    if found.etag and "-" in found.etag and found.etag != multiparts.composite_etag(parts):
        raise Problem("upload_damaged", "The Space did not put together what it was given; begin anew.", status=410)
    with contextlib.ExitStack() as stack:
        try:
            if upload.size > AT_ONCE_BYTES:
                raise TooSlowError
            read = stack.enter_context(gathered(side=side, key=upload.key, parts=parts, pulse=pulse, until=until))
        except TooSlowError:
            yield _Bytes(parts, None, None)
        else:
            yield _Bytes(parts, read.fingerprint, read.path)


def _file_here(upload: Upload) -> Path:
    """Where the bytes are without a Space: still in temp/, or already at their key."""
    for path in (appending.path_of(upload), local().path(upload.key)):
        if path.is_file() and path.stat().st_size == upload.size:
            return path
    raise TransientError("nothing_to_move", "This node does not have the upload.")


def _adopt(found: _Bytes, upload: Upload) -> bool:
    """Give the copy on this disk its key; False where there is none."""
    target = local().path(upload.key)
    if found.path is None or found.path == target:
        return found.path is not None
    try:
        local().adopt(temp=found.path, key=upload.key)
    except OccupiedKeyError:
        # An attempt that was killed has left it there, complete: a name in the tree is never half of a file.
        if target.stat().st_size != upload.size:
            raise TransientError("local_copy_damaged", "Something else lies at the key.") from None
        found.path.unlink(missing_ok=True)
    except OSError as error:
        raise disk_problem(error) from error
    return True


def _require_declared(upload: Upload, fingerprint: Fingerprint | None) -> None:
    if fingerprint is not None and upload.declared_sha256 not in {"", fingerprint.sha256}:
        raise Problem("digest_mismatch", f"The sha256 of what came is {fingerprint.sha256}.")
