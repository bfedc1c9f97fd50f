"""The Range header (RFC 9110, section 14): what part of a file was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.IGNORECASE)


class UnsatisfiableError(ValueError):
    """The part asked for lies behind the end (416)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`length` bytes from `start` of a file of `size` bytes; never empty."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        """The header's value."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def asked_range(*, header: str, size: int) -> ByteRange | None:
    """The one range of a header; None for none, several, or nonsense, all of which mean the whole file.

    Raises UnsatisfiableError.
    """
    found = _ONE_RANGE.fullmatch(header.strip())
    if found is None:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableError(header)
        return ByteRange(size - length, length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableError(header)
    end = min(int(last), size - 1) if last else size - 1
    return ByteRange(start, end - start + 1, size)
