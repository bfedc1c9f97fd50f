"""Makes text fit for every format before any renderer sees it: what XML, captions and readers cannot bear goes out.

Control characters, lone surrogates and non-characters make a DOCX unreadable; explicit direction overrides can make a
line read as something else than it says; a line break inside a field would end a caption. No word is lost.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from meetings.renderers.contracts import Heading

Value = TypeVar("Value")

_SPACES = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_UNFIT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufdd0-\ufdef"
    + "".join(rf"\U{plane:04x}fffe-\U{plane:04x}ffff" for plane in range(17))
    + "]"
)


def clean_text(text: str) -> str:
    """Return the text on one line, without characters that some format refuses."""
    return _SPACES.sub(" ", _UNFIT.sub("", _SPACES.sub(" ", text))).strip()


def clean(value: Value) -> Value:
    """Return the same document with every text in it cleaned, however deep."""
    cleaned: Any = value
    if isinstance(value, str):
        cleaned = clean_text(value)
    elif isinstance(value, tuple):
        cleaned = tuple(clean(item) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        changed = {name: clean(part) for name, part in parts.items() if isinstance(part, str | tuple | Heading)}
        cleaned = replace(value, **changed)
    return cleaned  # type: ignore[no-any-return]  # same type as it came in, which mypy cannot follow
