"""Markdown (CommonMark with GitHub's tables): for wikis and trackers. What was said is escaped, never formatted."""

from __future__ import annotations

import re

from meetings.renderers.outline import Item, Outline, Section
from meetings.renderers.wording import Wording

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&$!])")
_LEADING = re.compile(r"^([-+=:])|^(\d{1,9})([.)])")


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, wherever in a line it stands."""
    return _LEADING.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", _SPECIAL.sub(r"\\\1", text)
    )


def render_md(outline: Outline) -> bytes:
    """Return the document as UTF-8 Markdown."""
    cover, wording = outline.cover, outline.wording
    facts = [cover.when, cover.organization, cover.state]
    blocks = [f"# {escape(cover.title)}", " · ".join(escape(fact) for fact in (cover.kind, *facts) if fact)]
    if cover.participants:
        blocks.append(f"**{wording.participants}:** {escape(', '.join(cover.participants))}")
    for section in outline.sections:
        blocks.append(f"## {section.title}")
        if section.manner == "table":
            blocks.append(_table(section, wording=wording))
        elif section.manner == "prose":
            blocks += [_lines(item, indent="") for item in section.items]
        else:
            blocks.append("\n".join(_listed(number, item) for number, item in enumerate(section.items, start=1)))
    for turn in outline.turns:
        blocks += [f"## {turn.mark}"] if turn.mark else []
        speaker = f" **{escape(turn.speaker)}**" if turn.speaker else ""
        blocks.append(f"`{turn.stamp}`{speaker}  \n{escape(turn.text)}")
    if not outline.sections and not outline.turns:
        blocks.append(outline.empty)
    closing = [escape(sentence) for sentence in outline.note] + ([escape(outline.url)] if outline.url else [])
    if closing:
        blocks += ["---", "  \n".join(closing)]
    return ("\n\n".join(blocks) + "\n").encode()


def _proofs(item: Item) -> list[str]:
    return [f"`{proof.stamp}` {escape(proof.line.removeprefix(proof.stamp).strip())}".rstrip() for proof in item.proofs]


def _lines(item: Item, *, indent: str) -> str:
    return f"  \n{indent}".join([escape(item.text), *_proofs(item)])


def _listed(number: int, item: Item) -> str:
    lead = f"{number}. "
    return lead + _lines(item, indent=" " * len(lead))


def _table(section: Section, *, wording: Wording) -> str:
    rows = [
        f"| {wording.action} | {wording.owner} | {wording.due} | {wording.status} |",
        "|---|---|---|---|",
    ]
    for item in section.items:
        action = "<br>".join([escape(item.text), *_proofs(item)])
        rows.append(f"| {action} | {escape(item.owner)} | {escape(item.due)} | {escape(item.status)} |")
    return "\n".join(rows)
