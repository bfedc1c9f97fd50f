"""Transcripts as request bodies that are not JSON: captions and plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from chatvista.foundation.bodies import parsed_body
from chatvista.foundation.parsing import LARGEST_JSON
from chatvista.foundation.problems import Problem
from meetings.readers.captions import read_srt, read_vtt
from meetings.readers.contracts import SaidLine
from meetings.readers.plain import read_plain

Reader = Callable[[str], tuple[SaidLine, ...]]
READERS: dict[str, Reader] = {"vtt": read_vtt, "srt": read_srt, "txt": read_plain}
"""By the name of the format, which becomes the transcript's model."""


class TextParser(BaseParser):
    """A whole text in UTF-8 of a bounded size, as {"form": ..., "text": ...}."""

    form = "txt"
    media_type = "text/plain"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        """The text without a byte order mark; Problem 413 or 400."""
        raw = parsed_body(stream, parser_context).whole(largest=min(LARGEST_JSON, settings.MAX_BODY_BYTES))
        try:
            return {"form": self.form, "text": raw.decode("utf-8-sig")}
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            sentence = "The text is not UTF-8."
            raise Problem("transcript_malformed", sentence, fields={f"line {line}": [sentence]}) from error


class WebVTTParser(TextParser):
    """WebVTT captions."""

    form = "vtt"
    media_type = "text/vtt"


class SubRipParser(TextParser):
    """SubRip captions."""

    form = "srt"
    media_type = "application/x-subrip"
