"""PDF documents, read back with pypdf."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader

from meetings.renderers import MinutesDocument, TranscriptDocument, render_minutes, render_transcript
from meetings.renderers.contracts import SpokenLine
from tests.meetings.renderers.documents import HOSTILE, MEETING, MINUTES, TRANSCRIPT, hostile_minutes


def _read(document: MinutesDocument | TranscriptDocument) -> PdfReader:
    if isinstance(document, MinutesDocument):
        return PdfReader(io.BytesIO(render_minutes(document, format="pdf").content))
    return PdfReader(io.BytesIO(render_transcript(document, format="pdf").content))


def _text(reader: PdfReader) -> str:
    """All text on one line, without the places where Typst allows a long word to break."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u200b", "").split())


def _titles(outline: list[Any]) -> list[str]:
    titles = []
    for entry in outline:
        titles += _titles(entry) if isinstance(entry, list) else [str(entry["/Title"])]
    return titles


def test_minutes_name_their_title_author_and_language() -> None:
    reader = _read(MINUTES)
    assert reader.metadata is not None
    assert reader.metadata.title == MEETING.title
    assert reader.metadata.author == MEETING.organization
    root: dict[str, Any] = reader.root_object
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"], "tagged, so that it can be read aloud"


def test_minutes_have_a_bookmark_for_every_section_they_have() -> None:
    titles = _titles(_read(MINUTES).outline)
    assert titles == [MEETING.title, "Summary", "Decisions", "Action items", "Open questions", "Topics"]
    assert _titles(_read(replace(MINUTES, decisions=(), topics=())).outline) == [
        MEETING.title,
        "Summary",
        "Action items",
        "Open questions",
    ]


def test_minutes_print_people_actions_evidence_and_page_numbers() -> None:
    text = _text(_read(MINUTES))
    assert "Hana (host), Pavel" in text
    assert "9 July 2026, 10:00\u201310:45 (Europe/London)" in text
    assert "Order the chairs" in text
    assert "10 July 2026" in text
    assert "00:04 Pavel: \u201cI will order the chairs tomorrow.\u201d" in text
    assert "1:04:12 \u201cWho will speak to the newspaper?\u201d" in text
    assert "Page 1 of 1" in text


def test_a_quote_that_only_repeats_the_entry_is_not_printed_twice() -> None:
    decision = MINUTES.decisions[0]
    text = _text(_read(replace(MINUTES, summary=(), topics=())))
    assert text.count(decision.text) == 1
    assert f"{decision.text} 00:00 Hana" in text


def test_hostile_text_stands_there_word_by_word() -> None:
    reader = _read(hostile_minutes())
    assert reader.metadata is not None
    assert reader.metadata.title == HOSTILE
    # Spaces may fall anywhere a line ends; every other character must be there, in order.
    assert HOSTILE.replace(" ", "") in _text(reader).replace(" ", "")


def test_a_page_links_to_the_meeting_only_by_web_addresses() -> None:
    def links(document: MinutesDocument) -> list[str]:
        notes = [note.get_object() for page in _read(document).pages for note in page.get("/Annots", [])]
        return [note["/A"]["/URI"] for note in notes if "/A" in note]

    assert set(links(MINUTES)) == {MEETING.url}
    assert links(hostile_minutes()) == []


def test_a_right_to_left_language_is_declared() -> None:
    assert str(_read(replace(MINUTES, language="ar-EG")).root_object["/Lang"]).startswith("ar")


def test_a_word_longer_than_a_line_stays_on_the_page() -> None:
    reader = _read(replace(TRANSCRIPT, lines=(SpokenLine("Hana", 0, 1000, "A" * 400),)))
    rows = [row for row in reader.pages[0].extract_text().replace("\u200b", "").splitlines() if "AAAA" in row]
    assert len(rows) > 3
    assert sum(row.count("A") for row in rows) == 400


def test_a_long_transcript_has_bookmarks_by_time() -> None:
    lines = tuple(SpokenLine("Hana", i * 60_000, i * 60_000 + 900, f"Minute {i}.") for i in range(35))
    assert _titles(_read(replace(TRANSCRIPT, lines=lines)).outline) == [MEETING.title, "10:00", "20:00", "30:00"]


def test_a_silent_recording_says_so() -> None:
    assert "No speech was found" in _text(_read(replace(TRANSCRIPT, lines=())))


def test_ten_thousand_lines_are_set_in_seconds_and_none_is_lost() -> None:
    lines = tuple(
        SpokenLine("AB"[i % 2], i * 2500, i * 2500 + 2400, f"Line number {i} of a very long meeting.")
        for i in range(10_000)
    )
    began = time.monotonic()
    content = render_transcript(replace(TRANSCRIPT, lines=lines), format="pdf").content
    assert time.monotonic() - began < 15, "about one second on an idle machine"
    last = PdfReader(io.BytesIO(content)).pages[-1].extract_text()
    assert "Line number 9999 of a very long meeting." in last


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_minutes_speak_the_language_of_the_meeting(language: str) -> None:
    titles = _titles(_read(replace(MINUTES, language=language)).outline)
    expected = {"de": "Beschlüsse", "fr": "Décisions", "es": "Decisiones"}
    assert expected[language] in titles
