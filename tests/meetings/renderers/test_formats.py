"""Every format of every kind of document, with documents that are usual, hostile, empty and foreign."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chatvista.foundation.problems import Problem
from meetings.renderers import FORMATS, render_minutes, render_transcript
from meetings.renderers.contracts import Heading, MinutesDocument, Rendered, SpokenLine, TranscriptDocument
from meetings.renderers.formats import MEDIA_TYPES, require_format
from meetings.renderers.wording import LANGUAGES
from tests.meetings.renderers.documents import (
    HOSTILE,
    MINUTES,
    TRANSCRIPT,
    hostile_minutes,
    hostile_transcript,
)

EMPTY = Heading(title="", meeting_id="")
MAGIC = {"pdf": b"%PDF-1.", "docx": b"PK\x03\x04", "html": b"<!doctype html>", "vtt": b"WEBVTT\n", "json": b"{"}


def _render(document: MinutesDocument | TranscriptDocument, wanted: str) -> Rendered:
    if isinstance(document, MinutesDocument):
        return render_minutes(document, format=wanted)
    return render_transcript(document, format=wanted)


ALL = [(MINUTES, wanted) for wanted in FORMATS["minutes"]] + [(TRANSCRIPT, wanted) for wanted in FORMATS["transcript"]]
HOSTILES = [(hostile_minutes(), wanted) for wanted in FORMATS["minutes"]] + [
    (hostile_transcript(), wanted) for wanted in FORMATS["transcript"]
]


@pytest.mark.parametrize(("document", "wanted"), ALL, ids=lambda value: value if isinstance(value, str) else "")
def test_every_format_says_what_it_is(document: MinutesDocument | TranscriptDocument, wanted: str) -> None:
    rendered = _render(document, wanted)
    assert rendered.extension == wanted
    assert rendered.media_type == MEDIA_TYPES[require_format("transcript", wanted)]
    assert rendered.content.startswith(MAGIC.get(wanted, b""))


@pytest.mark.parametrize(("document", "wanted"), ALL, ids=lambda value: value if isinstance(value, str) else "")
def test_the_same_document_gives_the_same_bytes(document: MinutesDocument | TranscriptDocument, wanted: str) -> None:
    assert _render(document, wanted) == _render(document, wanted)


@pytest.mark.parametrize(("document", "wanted"), HOSTILES, ids=lambda value: value if isinstance(value, str) else "")
def test_hostile_text_breaks_no_format(document: MinutesDocument | TranscriptDocument, wanted: str) -> None:
    content = _render(document, wanted).content
    assert content
    if wanted in {"md", "html", "txt", "srt", "vtt", "json"}:
        text = content.decode()
        assert not {"\x00", "\x0b", "\x1b", "\ufffe", "\u202e"} & set(text)


@pytest.mark.parametrize("wanted", FORMATS["minutes"])
@pytest.mark.parametrize("language", ["", "ar", "he-IL", "zh_Hant_TW", "xx-invalid-code", "de"])
def test_minutes_with_nothing_in_them_can_be_rendered_in_any_language(wanted: str, language: str) -> None:
    nothing = MinutesDocument(meeting=EMPTY, engine="", model="", status="", language=language)
    assert render_minutes(nothing, format=wanted).content


@pytest.mark.parametrize("wanted", FORMATS["transcript"])
@pytest.mark.parametrize("language", ["", "ar", "he-IL", "ja"])
def test_a_transcript_without_speech_can_be_rendered_in_any_language(wanted: str, language: str) -> None:
    silent = TranscriptDocument(meeting=EMPTY, language=language, engine="", model="", duration_ms=0, lines=())
    assert render_transcript(silent, format=wanted).content or wanted == "srt"


@pytest.mark.parametrize("wanted", FORMATS["transcript"])
def test_scripts_without_glyphs_emoji_and_endless_words_are_no_obstacle(wanted: str) -> None:
    texts = (
        "مرحبا بالعالم",
        "שלום עולם",
        "你好世界",
        "हिन्दी",
        "\U0001f469\u200d\U0001f4bb",
        "A" * 5_000,
        "e\u0301" * 300,
    )
    lines = tuple(SpokenLine(text[:40], i * 1000, i * 1000 + 900, text) for i, text in enumerate(texts))
    assert render_transcript(replace(TRANSCRIPT, lines=lines, language="ar"), format=wanted).content


@pytest.mark.parametrize("wanted", ["txt", "md", "html"])
def test_an_unknown_speaker_is_not_printed(wanted: str) -> None:
    text = render_transcript(TRANSCRIPT, format=wanted).content.decode()
    assert "None" not in text
    assert "Who will speak" in text


@pytest.mark.parametrize("wanted", ["vtt", "srt", "mp3", "", "PDF", "../pdf"])
def test_minutes_in_a_format_there_is_not_are_refused_with_the_formats_there_are(wanted: str) -> None:
    with pytest.raises(Problem) as refused:
        render_minutes(MINUTES, format=wanted)
    assert (refused.value.code, refused.value.status) == ("format_not_available", 400)
    assert "pdf, docx, md, html, txt, json" in refused.value.detail


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_language_of_ours_has_twelve_months_and_the_same_states(code: str) -> None:
    wording = LANGUAGES[code]
    assert len({wording.month(number) for number in range(1, 13)}) == 12
    assert wording.states.keys() == LANGUAGES["en"].states.keys()
    assert wording.roles.keys() == LANGUAGES["en"].roles.keys()
    text = render_minutes(replace(MINUTES, language=code), format="txt").content.decode()
    assert wording.decisions in text
    assert wording.month(7) in text


def test_times_are_told_where_the_meeting_was_held() -> None:
    text = render_minutes(MINUTES, format="txt").content.decode()
    assert "9 July 2026, 10:00\u201310:45 (Europe/London)" in text


def test_an_unknown_time_zone_is_told_as_utc() -> None:
    text = render_minutes(replace(MINUTES, meeting=replace(MINUTES.meeting, timezone="Mars/Base")), format="txt")
    assert b"09:00\xe2\x80\x9309:45 (UTC)" in text.content


def test_how_the_minutes_came_about_is_stated() -> None:
    text = " ".join(render_minutes(MINUTES, format="txt").content.decode().split())
    assert "Extracted automatically (engine: extractive, 1). Please review" in text
    assert "Rests on 2 of 3 lines" in text
    assert "too long to be read to its end" in text
    assert "Entries left out because nothing said supports them: 4." in text


def test_approved_minutes_no_longer_ask_for_review() -> None:
    text = render_minutes(replace(MINUTES, status="approved"), format="txt").content.decode()
    assert "Please review" not in text
    assert "then reviewed by people" in text


def test_json_of_minutes_keeps_its_shape() -> None:
    data = json.loads(render_minutes(MINUTES, format="json").content)
    assert data["schema"] == "chatvista.minutes/1"
    assert data["meeting"]["started_at"] == "2026-07-09T09:00:00Z"
    assert data["action_items"] == [
        {
            "text": "Order the chairs",
            "evidence": [{"speaker": "Pavel", "start_ms": 4200, "quote": "I will order the chairs tomorrow."}],
            "owner": "Pavel",
            "due_on": "2026-07-10",
            "status": "open",
        },
        {
            "text": "Find a speaker",
            "evidence": [{"speaker": None, "start_ms": 3852000, "quote": "Who will speak to the newspaper?"}],
            "owner": None,
            "due_on": None,
            "status": None,
        },
    ]
    assert data["coverage"] == {"segments_total": 3, "segments_used": 2, "truncated": True, "dropped": 4}


def test_json_of_a_transcript_keeps_every_segment() -> None:
    data = json.loads(render_transcript(TRANSCRIPT, format="json").content)
    assert data["schema"] == "chatvista.transcript/1"
    assert [(line["speaker"], line["start_ms"], line["text"]) for line in data["segments"]] == [
        (line.speaker or None, line.start_ms, line.text) for line in TRANSCRIPT.lines
    ]


def test_markdown_shows_hostile_text_as_it_is() -> None:
    text = render_minutes(hostile_minutes(), format="md").content.decode()
    assert "<script>" not in text
    assert r"\#import" in text
    assert r"\$x^2\$" in text
    assert not any(line.startswith(("#import", "- ", "= ")) for line in text.splitlines())


def test_text_names_hostile_people_in_full() -> None:
    text = " ".join(render_minutes(hostile_minutes(), format="txt").content.decode().split())
    assert HOSTILE in text
