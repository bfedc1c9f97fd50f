"""Plain text: what can be read anywhere and pasted into anything."""

from __future__ import annotations

import textwrap

from meetings.renderers.outline import Item, Outline, Section
from meetings.renderers.wording import Wording

WIDTH = 80


def render_txt(outline: Outline) -> bytes:
    """Return the document as UTF-8 text, wrapped at 80 columns."""
    cover, wording = outline.cover, outline.wording
    facts = [
        f"{cover.kind.upper()} ({cover.state})",
        cover.when,
        cover.organization,
        f"{wording.participants}: {', '.join(cover.participants)}" if cover.participants else "",
    ]
    blocks = [_underlined(cover.title, "="), "\n".join(_wrap(fact) for fact in facts if fact)]
    for section in outline.sections:
        blocks.append(_underlined(section.title, "-"))
        blocks += [_item(item, number=number, section=section, wording=wording)
                   for number, item in enumerate(section.items, start=1)]  # fmt: skip
    blocks += [
        _wrap(f"[{turn.stamp}] {turn.speaker}: {turn.text}" if turn.speaker else f"[{turn.stamp}] {turn.text}")
        for turn in outline.turns
    ]
    if not outline.sections and not outline.turns:
        blocks.append(outline.empty)
    note = "\n".join(part for part in (_wrap(" ".join(outline.note)), outline.url) if part)
    if note:
        blocks.append(f"-- \n{note}")
    return ("\n\n".join(blocks) + "\n").encode()


def _item(item: Item, *, number: int, section: Section, wording: Wording) -> str:
    lead = "" if section.manner == "prose" else f"{number}. "
    indent = " " * len(lead)
    rows = [_wrap(item.text, lead=lead, indent=indent)]
    labels = ((wording.owner, item.owner), (wording.due, item.due), (wording.status, item.status))
    facts = "; ".join(f"{label}: {value}" for label, value in labels if value)
    if facts:
        rows.append(_wrap(facts, lead=indent, indent=indent))
    rows += [_wrap(f"[{proof.line}]", lead=indent, indent=indent) for proof in item.proofs]
    return "\n".join(rows)


def _underlined(text: str, mark: str) -> str:
    return f"{text}\n{mark * min(len(text), WIDTH)}"


def _wrap(text: str, *, lead: str = "", indent: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=lead, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
