"""Captions as files: WebVTT with voices, and SubRip."""

from __future__ import annotations

import re

from meetings.renderers.contracts import TranscriptDocument
from meetings.renderers.cues import cut

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render_vtt(document: TranscriptDocument) -> bytes:
    """Return WebVTT (https://www.w3.org/TR/webvtt1/): one `<v Speaker>` per cue, everything said escaped."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate(cut(document.lines), start=1):
        words = "\n".join(row.translate(ESCAPES) for row in cue.rows)
        voice = f"<v {cue.speaker.translate(ESCAPES)}>" if cue.speaker else ""
        times = f"{_clock(cue.start_ms, point='.')} --> {_clock(cue.end_ms, point='.')}"
        blocks.append(f"{number}\n{times}\n{voice}{words}")
    return ("\n\n".join(blocks) + "\n").encode()


def render_srt(document: TranscriptDocument) -> bytes:
    """Return SubRip: a change of speaker is told by the name before the words.

    The format knows no escapes. An invisible space keeps players from reading `<b>` or `{\\an8}` as formatting and
    `-->` as a time.
    """
    blocks = []
    for number, cue in enumerate(cut(document.lines, named=True), start=1):
        rows = "\n".join(re.sub(r"(<(?=[a-zA-Z/])|\{(?=\\)|--(?=>))", "\\1\u200b", row) for row in cue.rows)
        times = f"{_clock(cue.start_ms, point=',')} --> {_clock(cue.end_ms, point=',')}"
        blocks.append(f"{number}\n{times}\n{rows}\n")
    return "\n".join(blocks).encode()


def _clock(position_ms: int, *, point: str) -> str:
    seconds, milliseconds = divmod(position_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{milliseconds:03}"
