"""Documents people send: minutes and transcripts as PDF, DOCX, web page, Markdown, text, captions and JSON.

Pure functions from the plain values in `contracts` to bytes; no database, no settings, no network.
"""

from meetings.renderers.contracts import MinutesDocument, Rendered, TranscriptDocument
from meetings.renderers.formats import FORMATS
from meetings.renderers.rendering import render_minutes, render_transcript

__all__ = ["FORMATS", "MinutesDocument", "Rendered", "TranscriptDocument", "render_minutes", "render_transcript"]
