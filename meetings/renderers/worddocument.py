"""DOCX by python-docx: real styles and headings, a real table, and the marks that right-to-left scripts need."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import docx
from docx.document import Document
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from meetings.renderers.outline import Cover, Item, Outline, Section, Turn
from meetings.renderers.wording import Wording, is_rtl
from meetings.renderers.wordstyles import ACCENT, HAIRLINE, PAGE_WIDTH, rule, style_document

LONGEST_PROPERTY = 255
"""What OPC core properties hold, in characters."""
UNDATED = datetime(1980, 1, 1, tzinfo=UTC)
COLUMNS = (Mm(78), Mm(26), Mm(36), Mm(24))


def render_docx(outline: Outline, *, language: str, author: str, made_at: datetime | None) -> bytes:
    """Return the document as DOCX; the same document gives the same bytes."""
    return _Writer(outline, language=language or outline.wording.code).write(author=author, made_at=made_at)


class _Writer:
    """Writes one document; holds what every paragraph needs to know: the file and the direction."""

    def __init__(self, outline: Outline, *, language: str) -> None:
        self.outline = outline
        self.language = language
        self.rtl = is_rtl(language)
        self.document: Document = docx.Document()
        style_document(self.document, language=self.language, rtl=self.rtl)

    def write(self, *, author: str, made_at: datetime | None) -> bytes:
        outline = self.outline
        self._describe(outline.cover, author=author, made_at=made_at or UNDATED)
        self._cover(outline.cover, wording=outline.wording)
        for section in outline.sections:
            self._section(section, wording=outline.wording)
        self._turns(outline.turns)
        if not outline.sections and not outline.turns:
            self._say(self.document.add_paragraph(), outline.empty)
        self._note()
        self._footer()
        return _packed(self.document)

    def _describe(self, cover: Cover, *, author: str, made_at: datetime) -> None:
        properties = self.document.core_properties
        properties.title = cover.title[:LONGEST_PROPERTY]
        properties.subject = cover.kind
        properties.author = properties.last_modified_by = author[:LONGEST_PROPERTY]
        properties.language = self.language[:LONGEST_PROPERTY]
        properties.comments = ""
        properties.created = properties.modified = made_at.astimezone(UTC)

    def _cover(self, cover: Cover, *, wording: Wording) -> None:
        document = self.document
        self._say(
            document.add_paragraph(style="Kind"), " \u00b7 ".join(part for part in (cover.kind, cover.state) if part)
        )
        self._say(document.add_paragraph(style="Title"), cover.title)
        facts = " \u00b7 ".join(fact for fact in (cover.when, cover.organization) if fact)
        last = document.paragraphs[-1]
        if facts:
            last = self._say(document.add_paragraph(style="Facts"), facts)
        if cover.participants:
            last = self._say(document.add_paragraph(style="Facts"), f"{wording.participants}: ", bold=True)
            self._say(last, ", ".join(cover.participants))
        last.paragraph_format.space_after = Pt(14)
        rule(last._p.get_or_add_pPr(), side="bottom", color=str(ACCENT), eighths=8)  # noqa: SLF001 - the XML element

    def _section(self, section: Section, *, wording: Wording) -> None:
        self._say(self.document.add_heading(level=1), section.title)
        if section.manner == "table":
            self._table(section, wording=wording)
            return
        number = self._new_list() if section.manner == "list" else None
        for item in section.items:
            style = "Entry" if number is None else "List Number"
            paragraph = self._say(self.document.add_paragraph(style=style), item.text)
            if number is not None:
                paragraph._p.get_or_add_pPr().get_or_add_numPr().get_or_add_numId().val = number  # noqa: SLF001 - ditto
            paragraph.paragraph_format.keep_with_next = bool(item.proofs)
            self._proofs(item, into=self.document, indent=Mm(0) if number is None else Mm(6.35))

    def _proofs(self, item: Item, *, into: Document | _Cell, indent: Mm) -> None:
        for proof in item.proofs:
            paragraph = into.add_paragraph(style="Evidence")
            paragraph.paragraph_format.left_indent = indent
            self._say(paragraph, proof.stamp, bold=True).runs[-1].font.color.rgb = ACCENT
            speaker = f" {proof.speaker}" if proof.speaker else ""
            self._say(paragraph, f"{speaker}{':' if speaker and proof.quote else ''}{' ' if proof.quote else ''}")
            if proof.quote:
                self._say(paragraph, proof.quote, italic=True)

    def _table(self, section: Section, *, wording: Wording) -> None:
        table = self.document.add_table(rows=1, cols=len(COLUMNS))
        table.autofit = False
        for column, width in zip(table.columns, COLUMNS, strict=True):
            column.width = width
        _rule_table(table._tbl, rtl=self.rtl)  # noqa: SLF001 - ditto
        labels = (wording.action, wording.owner, wording.due, wording.status)
        for cell, label in zip(table.rows[0].cells, labels, strict=True):
            self._say(self._restyle(cell.paragraphs[0], "Table Label"), label)
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001 - ditto
        for item in section.items:
            row = table.add_row()
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001 - ditto
            texts = (item.text, item.owner, item.due, item.status)
            for index, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
                self._say(self._restyle(cell.paragraphs[0], "Table Text"), text, bold=index == 1)
            self._proofs(item, into=row.cells[0], indent=Mm(0))
        for row in table.rows:
            for cell, width in zip(row.cells, COLUMNS, strict=True):
                cell.width = width

    def _turns(self, turns: Iterable[Turn]) -> None:
        """Write the turns: one paragraph made by python-docx, then copies of it, which is many times faster."""
        model: Any = None
        body = self.document.element.body
        for turn in turns:
            if turn.mark:
                self._say(self.document.add_heading(level=2), turn.mark)
            if model is None:
                paragraph = self.document.add_paragraph(style="Turn")
                self._say(paragraph, "0:00").runs[-1].font.color.rgb = ACCENT
                self._say(paragraph, "speaker", bold=True)
                paragraph.add_run().add_break()
                self._say(paragraph, "text")
                model = paragraph._p  # noqa: SLF001 - ditto
                body.remove(model)
            copy = deepcopy(model)
            stamp, speaker, text = copy.findall(f".//{qn('w:t')}")
            stamp.text, text.text = turn.stamp, turn.text
            speaker.text = f"   {turn.speaker}" if turn.speaker else ""
            speaker.set(qn("xml:space"), "preserve")
            body.insert(len(body) - 1, copy)

    def _note(self) -> None:
        outline = self.outline
        texts = [" ".join(outline.note), outline.url]
        if any(texts):
            self.document.add_paragraph()
            self._say(self.document.add_paragraph(style="Note"), outline.wording.about, bold=True)
        for text in filter(None, texts):
            self._say(self.document.add_paragraph(style="Note"), text)

    def _footer(self) -> None:
        paragraph = self.document.sections[0].footer.paragraphs[0]
        tabs = paragraph.style.paragraph_format.tab_stops
        tabs.clear_all()
        tabs.add_tab_stop(PAGE_WIDTH, WD_TAB_ALIGNMENT.RIGHT)
        cover = self.outline.cover
        self._say(paragraph, f"{cover.kind} \u00b7 {cover.title[:60]}\t")
        before, _, rest = self.outline.wording.page.partition("{page}")
        between, _, after = rest.partition("{pages}")
        self._say(paragraph, before)
        self._field(paragraph, "PAGE")
        self._say(paragraph, between)
        self._field(paragraph, "NUMPAGES")
        self._say(paragraph, after)

    def _field(self, paragraph: Paragraph, instruction: str) -> None:
        for kind, text in (("begin", ""), ("", instruction), ("separate", ""), ("value", "1"), ("end", "")):
            run = paragraph.add_run(text if kind == "value" else "")
            run.font.rtl = True if self.rtl else None
            if kind != "value":
                element = OxmlElement("w:fldChar" if kind else "w:instrText")
                element.text = text or None
                if kind:
                    element.set(qn("w:fldCharType"), kind)
                run._r.append(element)  # noqa: SLF001 - python-docx has no fields

    def _new_list(self) -> int:
        """Return the id of a numbering that starts at 1 again: the style's own would count on from list to list."""
        numbering = self.document.part.numbering_part.element
        style = self.document.styles["List Number"].element
        abstract = numbering.num_having_numId(style.pPr.numPr.numId.val).abstractNumId.val
        number = numbering.add_num(abstract)
        number.add_lvlOverride(ilvl=0).add_startOverride(1)
        identity: int = number.numId
        return identity

    def _restyle(self, paragraph: Paragraph, style: str) -> Paragraph:
        paragraph.style = self.document.styles[style]
        return paragraph

    def _say(self, paragraph: Paragraph, text: str, *, bold: bool = False, italic: bool = False) -> Paragraph:
        run = paragraph.add_run(text)
        if bold:
            run.font.bold = run.font.cs_bold = True
        if italic:
            run.font.italic = run.font.cs_italic = True
        if self.rtl:
            run.font.rtl = True
        self._direct(paragraph)
        return paragraph

    def _direct(self, paragraph: Paragraph) -> None:
        properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - python-docx has no setter for the direction
        if self.rtl and properties.find(qn("w:bidi")) is None:
            properties.insert_element_before(OxmlElement("w:bidi"), "w:spacing", "w:ind", "w:jc", "w:rPr")


def _rule_table(table: Any, *, rtl: bool) -> None:
    properties = table.tblPr
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", HAIRLINE)):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    properties.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", 70), ("left", 60), ("bottom", 50), ("right", 60)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(width))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.append(margins)
    if rtl:
        properties.insert(1, OxmlElement("w:bidiVisual"))


def _packed(document: Document) -> bytes:
    """Return the saved document with the clock taken out of its zip entries."""
    saved, packed = io.BytesIO(), io.BytesIO()
    document.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            name = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            name.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(name, source.read(entry))
    return packed.getvalue()
