"""Renders a document in the format asked for: the one way into this package."""

from __future__ import annotations

from meetings.renderers.captions import render_srt, render_vtt
from meetings.renderers.cleaning import clean
from meetings.renderers.contracts import MinutesDocument, Rendered, TranscriptDocument
from meetings.renderers.formats import MEDIA_TYPES, Format, require_format
from meetings.renderers.markdown import render_md
from meetings.renderers.outline import Outline, outline_minutes, outline_transcript
from meetings.renderers.pdf import render_pdf
from meetings.renderers.plaintext import render_txt
from meetings.renderers.structured import render_minutes_json, render_transcript_json
from meetings.renderers.webpage import render_html
from meetings.renderers.wording import language_tag


def render_minutes(document: MinutesDocument, *, format: str) -> Rendered:  # noqa: A002 - the API's own word
    """Render minutes as pdf, docx, md, html, txt or json.

    Raises:
        Problem: `format_not_available`.
    """
    chosen = require_format("minutes", format)
    cleaned = clean(document)
    if chosen == "json":
        return _rendered(render_minutes_json(cleaned), chosen)
    outline = outline_minutes(cleaned)
    return _rendered(_render_outline(outline, document=cleaned, chosen=chosen), chosen)


def render_transcript(document: TranscriptDocument, *, format: str) -> Rendered:  # noqa: A002 - the API's own word
    """Render a transcript as pdf, docx, md, html, txt, srt, vtt or json.

    Raises:
        Problem: `format_not_available`.
    """
    chosen = require_format("transcript", format)
    cleaned = clean(document)
    match chosen:
        case "json":
            content = render_transcript_json(cleaned)
        case "srt":
            content = render_srt(cleaned)
        case "vtt":
            content = render_vtt(cleaned)
        case _:
            outline = outline_transcript(cleaned)
            content = _render_outline(outline, document=cleaned, chosen=chosen)
    return _rendered(content, chosen)


def _render_outline(outline: Outline, *, document: MinutesDocument | TranscriptDocument, chosen: Format) -> bytes:
    language = language_tag(document.language)
    match chosen:
        case "pdf":
            return render_pdf(outline, language=language, author=document.meeting.organization)
        case "docx":
            # python-docx takes a tenth of a second to import, which a web process that never renders need not wait for.
            from meetings.renderers.worddocument import render_docx  # noqa: PLC0415

            made_at = document.generated_at or document.meeting.started_at
            return render_docx(outline, language=language, author=document.meeting.organization, made_at=made_at)
        case "html":
            return render_html(outline, language=language)
        case "md":
            return render_md(outline)
        case _:
            return render_txt(outline)


def _rendered(content: bytes, chosen: Format) -> Rendered:
    return Rendered(content=content, media_type=MEDIA_TYPES[chosen], extension=chosen)
