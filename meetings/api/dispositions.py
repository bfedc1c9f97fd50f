"""File names that travel in headers: reading what a client called a file, and naming what is sent."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from django.utils.http import parse_header_parameters

from chatvista.foundation.problems import Problem

LONGEST_NAME = 255
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*([A-Za-z0-9!#$%&+^_`{}~-]+)'[^']*'([^;]+)", re.IGNORECASE)
_NAMES_CHARSET = re.compile(r";\s*filename\*\s*=", re.IGNORECASE)
_CHARSETS = {"utf-8": "utf-8", "iso-8859-1": "latin-1"}
"""Those RFC 8187 and RFC 5987 name; Python's own list holds codecs that are none (undefined, rot13, zip)."""
_BETWEEN_WORDS = re.compile(r"[^\w.-]+")


def filename_of(header: str) -> str:
    """The name in a `Content-Disposition` (RFC 6266; `filename*` wins), cleaned; empty where there is none."""
    if extended := _EXTENDED.search(header):
        try:
            return clean_name(unquote_to_bytes(extended[2].strip()).decode(_CHARSETS[extended[1].lower()]))
        except (KeyError, UnicodeDecodeError) as error:
            raise _malformed() from error
    if _NAMES_CHARSET.search(header):
        raise _malformed()
    try:
        _, parameters = parse_header_parameters(header)
    except ValueError as error:
        raise _malformed() from error
    name = parameters.get("filename", "")
    try:
        # Headers are read as latin-1; clients that send UTF-8 all the same mean UTF-8.
        name = name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return clean_name(name)
    return clean_name(name)


def clean_name(name: str) -> str:
    """The last part of a path without control and direction characters, of a bounded length."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(letter for letter in last if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    return shown.strip()[:LONGEST_NAME]


def document_name(*, title: str, kind: str, extension: str) -> str:
    """What a document is called when it is downloaded: `Board-meeting-minutes.pdf`."""
    words = _BETWEEN_WORDS.sub("-", clean_name(title)).strip("-.")[:100] or "meeting"
    return f"{words}-{kind}.{extension}"


def _malformed() -> Problem:
    return Problem("disposition_malformed", "Content-Disposition does not hold a file name that can be read.")
