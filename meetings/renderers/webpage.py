"""A web page in one file: no script, no address but the meeting's own, readable on a phone and fit to print."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path

from meetings.renderers.outline import Cover, Item, Outline, Proof, Section, Turn
from meetings.renderers.wording import Wording, is_rtl

STYLE = Path(__file__).resolve().parent / "templates" / "document.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


def render_html(outline: Outline, *, language: str) -> bytes:
    """Return the document as an HTML page with a language and a direction; everything said is escaped."""
    wording = outline.wording
    body = [_header(outline.cover, wording=wording)]
    body += [_section(section, wording=wording) for section in outline.sections]
    body += [_turn(turn) for turn in outline.turns]
    if not outline.sections and not outline.turns:
        body.append(f'<p class="empty">{escape(outline.empty)}</p>')
    body.append(_footer(outline))
    direction = "rtl" if is_rtl(language) else "ltr"
    page = (
        f'<!doctype html>\n<html lang="{escape(language or wording.code)}" dir="{direction}">\n<head>\n'
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(outline.cover.title)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>\n"
    )
    return (page + "\n".join(body) + "\n</main>\n</body>\n</html>\n").encode()


def _header(cover: Cover, *, wording: Wording) -> str:
    facts = " · ".join(escape(fact) for fact in (cover.when, cover.organization) if fact)
    people = escape(", ".join(cover.participants))
    return (
        f'<header>\n<p class="kind"><span>{escape(cover.kind)}</span>'
        f'<span class="state">{escape(cover.state)}</span></p>\n'
        f'<h1 dir="auto">{escape(cover.title)}</h1>\n'
        + (f"<p>{facts}</p>\n" if facts else "")
        + (f"<p><strong>{escape(wording.participants)}</strong> {people}</p>\n" if people else "")
        + "</header>"
    )


def _section(section: Section, *, wording: Wording) -> str:
    if section.manner == "table":
        labels = (wording.action, wording.owner, wording.due, wording.status)
        head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
        rows = "\n".join(_row(item) for item in section.items)
        inner = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    elif section.manner == "prose":
        inner = "\n".join(f"<p>{_entry(item)}</p>" for item in section.items)
    else:
        inner = "<ol>\n" + "\n".join(f"<li>{_entry(item)}</li>" for item in section.items) + "\n</ol>"
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{inner}\n</section>"


def _row(item: Item) -> str:
    return (
        f'<tr><td>{_entry(item)}</td><td class="owner">{escape(item.owner)}</td>'
        f"<td>{escape(item.due)}</td><td>{escape(item.status)}</td></tr>"
    )


def _entry(item: Item) -> str:
    return f'<span dir="auto">{escape(item.text)}</span>' + "".join(_proof(proof) for proof in item.proofs)


def _proof(proof: Proof) -> str:
    speaker = f" {escape(proof.speaker)}" if proof.speaker else ""
    quote = f"{':' if speaker else ''} <q>{escape(proof.quote)}</q>" if proof.quote else ""
    return f'<span class="proof" dir="auto"><time>{proof.stamp}</time>{speaker}{quote}</span>'


def _turn(turn: Turn) -> str:
    mark = f'<h2 class="mark">{turn.mark}</h2>\n' if turn.mark else ""
    speaker = f"<b>{escape(turn.speaker)}</b>" if turn.speaker else ""
    return f'{mark}<div class="turn"><time>{turn.stamp}</time><div dir="auto">{speaker}{escape(turn.text)}</div></div>'


def _footer(outline: Outline) -> str:
    link = f'<p><a href="{escape(outline.url)}" rel="noreferrer">{escape(outline.url)}</a></p>\n' if outline.url else ""
    note = f"<p>{escape(' '.join(outline.note))}</p>\n" if outline.note else ""
    return f"<footer>\n{note}{link}</footer>" if note or link else ""
