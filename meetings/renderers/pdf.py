"""PDF by Typst: a fixed template file, and the document as JSON beside it, so that nothing said is ever markup.

The same document gives the same bytes: no clock, no system fonts. Fonts are those of the installed `fontpkg-*`
packages, Noto Sans first; a script none of them has falls back to empty boxes and never to an error.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import typst

from meetings.renderers.outline import Outline
from meetings.renderers.wording import is_rtl

TEMPLATE = Path(__file__).resolve().parent / "templates" / "document.typ"
FIRST_FAMILY = "Noto Sans"

LARGE = 200_000
"""Characters of JSON from which a document is large."""
GENERATIONS = 12
"""Compilations after which Typst forgets what it remembered of one (it keeps ten, by trying)."""


@cache
def _fonts() -> tuple[typst.Fonts, tuple[str, ...]]:
    packages = [found.load() for found in entry_points(group="fontpkg.family")]
    folders = [str(Path(package.ROOT) / "files") for package in packages]
    families = sorted({str(package.FAMILY) for package in packages} - {FIRST_FAMILY})
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)
    return fonts, (FIRST_FAMILY, *families)


def render_pdf(outline: Outline, *, language: str, author: str) -> bytes:
    """Return the document as PDF, tagged, with a title, an author, a language, bookmarks and page numbers."""
    fonts, families = _fonts()
    wording, cover = outline.wording, outline.cover
    data = {
        **asdict(cover),
        "author": author,
        "lang": language.partition("-")[0].lower() or wording.code,
        "rtl": is_rtl(language),
        "fonts": families,
        "page": wording.page,
        "footer": " \u00b7 ".join(part for part in (cover.kind, cover.title) if part),
        "labels": {
            name: getattr(wording, name) for name in ("action", "owner", "due", "status", "participants", "about")
        },
        "sections": [asdict(section) for section in outline.sections],
        "turns": [asdict(turn) for turn in outline.turns],
        "note": outline.note,
        "url": outline.url,
        "empty": outline.empty,
    }
    payload = json.dumps(data, ensure_ascii=False)
    content: bytes = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"data": payload},
        timestamp=0,
    )
    if len(payload) > LARGE:
        _forget(fonts)
    return content


def _forget(fonts: typst.Fonts) -> None:
    """Have Typst drop its memory of a large document: 130 MB for 10,000 lines, which would add up in a worker."""
    for _ in range(GENERATIONS):
        typst.compile(b"", font_paths=fonts, ignore_system_fonts=True)
