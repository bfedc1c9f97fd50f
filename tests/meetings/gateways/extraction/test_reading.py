from __future__ import annotations

from meetings.gateways.contracts import Line
from meetings.gateways.extraction.reading import read, tidied


def said(*texts: str, speaker: str = "A") -> list[Line]:
    return [Line(str(number), speaker, number * 1_000, number * 1_000 + 900, text) for number, text in enumerate(texts)]


def test_sentences_end_where_people_end_them() -> None:
    found = read(said("Dr. Smith paid 2.5 million. Did he? Yes!"))
    assert [sentence.text for sentence in found] == ["Dr. Smith paid 2.5 million.", "Did he?", "Yes!"]
    assert [sentence.is_question for sentence in found] == [False, True, False]


def test_a_sentence_that_runs_on_over_lines_is_one_and_knows_both() -> None:
    found = read(said("I will send the report", "to everyone by Friday. Good."))
    assert [(sentence.text, sentence.lines) for sentence in found] == [
        ("I will send the report to everyone by Friday.", (0, 1)),
        ("Good.", (1,)),
    ]


def test_lines_of_two_speakers_never_join() -> None:
    lines = [*said("I will send"), Line("x", "B", 1_000, 1_500, "the report")]
    assert [sentence.text for sentence in read(lines)] == ["I will send", "the report"]


def test_a_german_date_does_not_end_a_sentence() -> None:
    assert len(read(said("Wir treffen uns am 3. Dezember wieder."))) == 1


def test_marks_of_the_transcriber_and_hesitations_go() -> None:
    assert tidied("So um {disfmarker} we we 'll keep , uh , the the remote .") == "So we'll keep, the remote."


def test_scripts_without_blanks_have_words_too() -> None:
    assert read(said("会議を始めます。次回は金曜日です。"))[0].words[:2] == ("会議", "議を")
