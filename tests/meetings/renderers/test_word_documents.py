"""Word documents, read back with python-docx."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import docx
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from meetings.renderers import MinutesDocument, TranscriptDocument, render_minutes, render_transcript
from meetings.renderers.contracts import Entry
from tests.meetings.renderers.documents import HOSTILE, MEETING, MINUTES, TRANSCRIPT, hostile_minutes


def _read(document: MinutesDocument | TranscriptDocument) -> Document:
    if isinstance(document, MinutesDocument):
        return docx.Document(io.BytesIO(render_minutes(document, format="docx").content))
    return docx.Document(io.BytesIO(render_transcript(document, format="docx").content))


def test_properties_name_title_author_language_and_date() -> None:
    properties = _read(MINUTES).core_properties
    assert (properties.title, properties.author, properties.language) == (MEETING.title, MEETING.organization, "en")
    assert properties.created is not None
    assert properties.created.replace(tzinfo=None).isoformat() == "2026-07-09T09:00:00"


def test_sections_are_real_headings() -> None:
    headings = [p.text for p in _read(MINUTES).paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert headings == ["Summary", "Decisions", "Action items", "Open questions", "Topics"]


def test_action_items_are_a_table_whose_first_row_repeats() -> None:
    (table,) = _read(MINUTES).tables
    assert [cell.text for cell in table.rows[0].cells] == ["Action", "Owner", "Due", "Status"]
    assert [cell.text for cell in table.rows[1].cells] == [
        "Order the chairs\n00:04 Pavel: \u201cI will order the chairs tomorrow.\u201d",
        "Pavel",
        "10 July 2026",
        "Open",
    ]
    assert [cell.text for cell in table.rows[2].cells][1:] == ["", "", ""]
    assert list(table.rows[0]._tr.iter(qn("w:tblHeader")))
    assert not list(table.rows[1]._tr.iter(qn("w:tblHeader")))


def test_every_list_counts_from_one() -> None:
    twice = (Entry("First."), Entry("Second."))
    document = _read(replace(MINUTES, decisions=twice, open_questions=twice))
    listed = [p for p in document.paragraphs if p.style is not None and p.style.name == "List Number"]
    numbers = [int(next(p._p.iter(qn("w:numId"))).get(qn("w:val"), "")) for p in listed]
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert numbers[0] != numbers[2]
    numbering = document.part.numbering_part.element
    for number in set(numbers):
        assert numbering.num_having_numId(number).find(f"{qn('w:lvlOverride')}/{qn('w:startOverride')}") is not None


def test_the_footer_counts_pages_by_fields() -> None:
    footer = _read(MINUTES).sections[0].footer._element
    assert [field.text for field in footer.iter(qn("w:instrText"))] == ["PAGE", "NUMPAGES"]


@pytest.mark.parametrize(
    ("language", "slot", "expected"),
    [("ja", "eastAsia", "Yu Gothic"), ("zh-Hant", "eastAsia", "Microsoft YaHei"), ("ar", "cs", "Arial")],
)
def test_scripts_of_asia_and_the_east_have_fonts(language: str, slot: str, expected: str) -> None:
    styles = _read(replace(TRANSCRIPT, language=language)).styles.element
    fonts = next(styles.find(qn("w:docDefaults")).iter(qn("w:rFonts")))
    assert fonts.get(qn(f"w:{slot}")) == expected


def test_right_to_left_documents_are_marked_so_in_every_paragraph_with_words() -> None:
    document = _read(replace(MINUTES, language="he"))
    spoken = [p for p in document.element.body.iter(qn("w:p")) if p.findall(f".//{qn('w:t')}")]
    assert spoken
    assert all(p.pPr.find(qn("w:bidi")) is not None for p in spoken)
    assert all(run.rPr.find(qn("w:rtl")) is not None for p in spoken for run in p.findall(qn("w:r")))
    assert document.tables[0]._tbl.tblPr.find(qn("w:bidiVisual")) is not None


def test_left_to_right_documents_carry_no_such_marks() -> None:
    xml = zipfile.ZipFile(io.BytesIO(render_minutes(MINUTES, format="docx").content)).read("word/document.xml")
    assert b"w:rtl" not in xml
    assert b"w:bidi" not in xml


def test_hostile_text_stands_there_word_by_word() -> None:
    document = _read(hostile_minutes())
    assert any(p.text == HOSTILE for p in document.paragraphs)
    assert document.core_properties.title == HOSTILE
    assert document.core_properties.language == "en"


def test_a_title_longer_than_a_property_may_be_is_whole_in_the_text() -> None:
    title = "Budget " * 100
    document = _read(replace(MINUTES, meeting=replace(MEETING, title=title)))
    assert len(document.core_properties.title) == 255
    assert any(p.text == title.strip() for p in document.paragraphs)


def test_a_transcript_tells_time_speaker_and_words() -> None:
    turns = [p.text for p in _read(TRANSCRIPT).paragraphs if p.style is not None and p.style.name == "Turn"]
    assert turns[0] == "00:00   Hana\nWe agreed to open on Saturday."
    assert turns[-1] == "1:04:12\nWho will speak to the newspaper?"
