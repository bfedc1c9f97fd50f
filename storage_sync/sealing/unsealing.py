"""From the bytes that lie on the sides to what people uploaded, for readers; every frame verified as it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import structlog

from chatvista.foundation.ciphers import SealBrokenError
from chatvista.foundation.problems import PermanentError, Problem
from storage_sync.models import StoredFile
from storage_sync.sealing.seals import Seal, seal_of

logger = structlog.get_logger(__name__)

Held = Callable[[int, int | None], Iterator[bytes]]
"""Gives the held bytes from a position, in chunks: so many of them, or all up to the end."""


def plain_file(*, file: StoredFile, source: BinaryIO) -> BinaryIO:
    """The plaintext of a file whose held bytes `source` has; `source` itself where nothing is sealed.

    Raises Problem 503 `file_unreadable` when this process cannot open it; SealBrokenError (an OSError) at a read.
    """
    try:
        seal = _seal(file)
        return source if seal is None else seal.unsealed(source, sealed_size=file.held_size)
    except SealBrokenError as error:
        source.close()
        raise _broken(file, error) from error
    except BaseException:
        source.close()
        raise


def plain_stream(*, file: StoredFile, held: Held, start: int, length: int | None) -> Iterator[bytes]:
    """The plaintext of a range; the first chunk is read and verified before this returns.

    Raises Problem 503 `file_unreadable`, what `held` raises, and SealBrokenError (an OSError) between chunks.
    """
    seal = _seal(file)
    if seal is None:
        return held(start, length)
    try:
        opener = seal.opener(sealed_size=file.held_size)
        window = opener.window(start, length)
        is_whole = window.length == file.held_size
        chunks = opener.stream(held(window.start, None if is_whole else window.length), window)
        first = next(chunks, b"")
    except SealBrokenError as error:
        raise _broken(file, error) from error
    return _chain(first, chunks)


def _seal(file: StoredFile) -> Seal | None:
    try:
        return seal_of(file)
    except PermanentError as error:
        logger.error("file_cannot_be_opened", file=str(file.pk), code=error.code, detail=error.detail)  # noqa: TRY400
        raise _unreadable() from error


def _broken(file: StoredFile, error: SealBrokenError) -> Problem:
    logger.error("seal_broken", file=str(file.pk), key=file.key, error=str(error))
    return _unreadable()


def _unreadable() -> Problem:
    detail = "The file is sealed, and cannot be opened just now; operators know why."
    return Problem("file_unreadable", detail, status=503, retry_after=300)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
