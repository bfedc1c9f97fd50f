"""The Range and If-Range headers (RFC 9110, sections 13.1.5 and 14): what part of a file was asked for.

One range is answered with 206. Several are answered with the whole file, which section 14.2 allows and every client
must understand; so is what is no range of bytes at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.http import parse_http_date_safe

_UNIT = re.compile(r"bytes[ \t]*=", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]*)-([0-9]*)")


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
    found = _RANGE.fullmatch(_only_one(header))
    if found is None or found.group() == "-":
        return None
    first, last = found.groups()
    if not first:
        length = min(_number(last, size), size)
        if length == 0:
            raise UnsatisfiableError(header)
        return ByteRange(size - length, length, size)
    if last and _is_less(last, first):
        return None
    start = _number(first, size)
    if start >= size:
        raise UnsatisfiableError(header)
    end = min(_number(last, size), size - 1) if last else size - 1
    return ByteRange(start, end - start + 1, size)


def is_same(*, condition: str, etag: str, last_modified: int) -> bool:
    """Whether what `If-Range` names is the file as it is: by its strong tag, or by its very date.

    A weak tag or another date means that the client has a piece of something else.
    """
    if condition.startswith(('"', "W/")):
        return condition == etag
    return parse_http_date_safe(condition) == last_modified


def _only_one(header: str) -> str:
    """The one element of the list of ranges, or "". Empty elements of a list do not count (section 5.6.1)."""
    unit = _UNIT.match(header.strip(" \t"))
    if unit is None:
        return ""
    elements = [element.strip(" \t") for element in header.strip(" \t")[unit.end() :].split(",")]
    given = [element for element in elements if element]
    return given[0] if len(given) == 1 else ""


def _number(digits: str, size: int) -> int:
    """The number, or one behind the end: positions may have any number of digits, and Python reads no endless ones."""
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= len(str(size)) else size + 1


def _is_less(one: str, other: str) -> bool:
    one, other = one.lstrip("0"), other.lstrip("0")
    return (len(one), one) < (len(other), other)
