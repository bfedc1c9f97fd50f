"""JSON bodies, strictly: an object, UTF-8, no NaN, no NUL bytes, of a bounded size and depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from chatvista.foundation.bodies import parsed_body

LARGEST_JSON = 32 * 1024 * 1024


class StrictJSONParser(BaseParser):
    """Refuses what would later fail as a 500: bare lists, NaN, NUL bytes, lone surrogates, endless nesting.

    Not REST framework's JSONParser, which is only ever given what Django holds in memory.
    """

    media_type = "application/json"
    largest = 5 * 1024 * 1024

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the body's object, {} for no bytes; ParseError or Problem (400, 413) says what is wrong with it."""
        raw = parsed_body(stream, parser_context).whole(largest=min(self.largest, settings.MAX_BODY_BYTES))
        try:
            text = raw.decode("utf-8")
            value = json.loads(text or "{}", parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}"[:300]) from error
        # In the text it may as well be a backslash and five characters (C:\\u0000); only the value tells.
        if "\\u0000" in text and _holds_nul(value):
            raise ParseError("Text cannot hold a NUL byte.")
        if "\\ud" in text.lower() and not _is_encodable(value):
            raise ParseError("Text holds half of a surrogate pair.")
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


class LargeJSONParser(StrictJSONParser):
    """The same for imports, whose bodies are whole transcripts."""

    largest = LARGEST_JSON


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _holds_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\x00" in one:
                return True
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False


def _is_encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
