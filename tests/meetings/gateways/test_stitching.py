from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meetings.gateways.contracts import Hearing, Span, Utterance, Word
from meetings.gateways.stitching import ordered_words, placed, sentences, stitch


def test_times_are_clamped_to_the_span() -> None:
    span = Span(10_000, 20_000)
    assert placed(start_s=1.5, end_s=2.0, span=span) == (11_500, 12_000)
    assert placed(start_s=-1, end_s=99, span=span) == (10_000, 20_000)
    assert placed(start_s=5, end_s=4, span=span) == (15_000, 15_000)


def test_words_become_sentences_at_full_stops_and_pauses() -> None:
    words = [
        Word("Mr.", 0, 200), Word("Hill", 200, 500), Word("left.", 500, 900), Word("Good", 1_000, 1_300),
        Word("luck", 4_000, 4_300),
    ]  # fmt: skip
    assert [item.text for item in sentences(words)] == ["Mr. Hill left.", "Good", "luck"]


def test_a_sentence_without_end_is_cut_after_a_while() -> None:
    words = [Word("la", number * 500, number * 500 + 500) for number in range(200)]
    assert all(item.end_ms - item.start_ms <= 20_000 for item in sentences(words))


@given(
    st.lists(
        st.tuples(st.integers(0, 60_000), st.integers(0, 60_000), st.sampled_from(["a", "b.", " ", "c\x00"])),
        max_size=40,
    )
)
def test_words_and_sentences_run_forward_whatever_the_engine_says(raw: list[tuple[int, int, str]]) -> None:
    words = ordered_words(Word(text, start, end) for start, end, text in raw)
    assert all(word.text.strip() and "\x00" not in word.text and word.start_ms <= word.end_ms for word in words)
    starts = [item.start_ms for item in sentences(words)]
    assert starts == sorted(starts)
    assert sum(len(item.words or ()) for item in sentences(words)) == len(words)


def test_hearings_are_joined_in_order_and_speak_the_language_most_was_said_in() -> None:
    joined = stitch(
        [
            Hearing("de", (Utterance(5_000, 6_000, "Ein langer deutscher Satz."),)),
            Hearing("en", (Utterance(1_000, 2_000, "Hi."), Utterance(8_000, 9_000, " "))),
        ]
    )
    assert (joined.language, [item.text for item in joined.utterances]) == ("de", ["Hi.", "Ein langer deutscher Satz."])
    assert stitch([]) == Hearing("", ())
