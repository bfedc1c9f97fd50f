"""Which document can be had in which format: one table, asked before anything is queued."""

from __future__ import annotations

from typing import Literal, get_args

from chatvista.foundation.problems import Problem

Kind = Literal["minutes", "transcript"]
Format = Literal["pdf", "docx", "md", "html", "txt", "srt", "vtt", "json"]

ALL: tuple[Format, ...] = get_args(Format)

FORMATS: dict[Kind, tuple[Format, ...]] = {
    "minutes": ("pdf", "docx", "md", "html", "txt", "json"),
    "transcript": ("pdf", "docx", "md", "html", "txt", "srt", "vtt", "json"),
}

MEDIA_TYPES: dict[Format, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "json": "application/json",
}


def require_format(kind: Kind, format: str) -> Format:  # noqa: A002 - the API's own word
    """Return the format if documents of this kind can be had in it.

    Raises:
        Problem: `format_not_available`, 400, with the formats there are.
    """
    for known in FORMATS[kind]:
        if known == format:
            return known
    possible = ", ".join(FORMATS[kind])
    raise Problem(
        "format_not_available",
        f"A document of kind {kind} can be had as {possible}.",
        status=400,
        fields={"format": [f"Choose one of {possible}."]},
    )
