from __future__ import annotations

import logging
from pathlib import Path

import pytest

from chatvista.foundation.problems import PermanentError, TransientError, WorkError
from meetings.audio.probing import probe
from meetings.gateways.contracts import Hearing, Span, Word
from meetings.gateways.openai_speech import OpenAISpeech
from tests.fakes.openai_server import KEY, OpenAIServer, Reply, an_error, as_json
from tests.meetings.audio.making import write_picture_only, write_sound


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "talk.flac", kind="flac", seconds=12, at=[1, 5, 9], noise=0.01)


def engine(server: OpenAIServer, *, model: str = "whisper-1", key: str = KEY, timeout_s: float = 20) -> OpenAISpeech:
    return OpenAISpeech(api_key=key, base_url=server.base_url, model=model, timeout_s=timeout_s)


def hear(server: OpenAIServer, media: Path, **more: str) -> Hearing:
    return engine(server, **more).hear(media=media, span=Span(4_000, 10_000), language=None)  # type: ignore[arg-type]  # str options only


def error_of(server: OpenAIServer, media: Path, **more: str) -> WorkError:
    with pytest.raises(WorkError) as caught:
        hear(server, media, **more)
    return caught.value


def test_times_are_the_recordings_and_words_go_with_their_sentence(openai: OpenAIServer, media: Path) -> None:
    heard = hear(openai, media)
    assert heard.language == "en"
    (line,) = heard.utterances
    assert (line.start_ms, line.end_ms, line.text) == (4_500, 5_800, "Good morning everyone.")
    assert line.words == (Word("Good", 4500, 4800), Word("morning", 4800, 5200), Word("everyone", 5200, 5800))


def test_what_is_sent_is_the_span_as_a_small_ogg_with_the_key(
    openai: OpenAIServer, media: Path, tmp_path: Path
) -> None:
    engine(openai).hear(media=media, span=Span(4_000, 10_000), language="en-GB")
    (asked,) = openai.asked
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.fields == {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "timestamp_granularities[]": ["segment", "word"],
        "language": "en",
    }
    sent = tmp_path / "sent.ogg"
    sent.write_bytes(asked.files["file"])
    assert probe(sent).duration_ms == pytest.approx(6_000, abs=60)


def test_a_model_without_times_gives_one_line_per_short_clip(openai: OpenAIServer, media: Path) -> None:
    heard = hear(openai, media, model="gpt-4o-transcribe")
    assert [(item.start_ms, item.end_ms, item.words) for item in heard.utterances] == [(4_000, 10_000, None)]
    assert "timestamp_granularities[]" not in openai.asked[0].fields
    assert engine(openai, model="gpt-4o-transcribe").longest_clip_ms == 30_000
    assert engine(openai).longest_clip_ms == 600_000


def test_words_beyond_the_span_are_clamped_and_empty_lines_dropped(openai: OpenAIServer, media: Path) -> None:
    openai.next(
        as_json(
            {
                "language": "german",
                "text": "x",
                "segments": [
                    {"start": 5.0, "end": 99.0, "text": " spät "},
                    {"start": 0.0, "end": 1.0, "text": " früh"},
                    {"start": 2.0, "end": 3.0, "text": "  "},
                ],
                "words": [{"word": "spät", "start": 5.5, "end": 77.0}],
            }
        )
    )
    heard = hear(openai, media)
    assert heard.language == "de"
    assert [(item.start_ms, item.end_ms, item.text) for item in heard.utterances] == [
        (4_000, 5_000, "früh"),
        (9_000, 10_000, "spät"),
    ]
    assert heard.utterances[1].words == (Word("spät", 9_500, 10_000),)


def test_silence_heard_as_nothing_is_no_line(openai: OpenAIServer, media: Path) -> None:
    openai.next(as_json({"language": "english", "text": "", "segments": [], "words": []}))
    assert hear(openai, media).utterances == ()


def test_a_span_too_short_for_the_api_is_not_sent(openai: OpenAIServer, media: Path) -> None:
    heard = engine(openai).hear(media=media, span=Span(11_950, 12_000), language="en")
    assert heard == Hearing(language="en", utterances=())
    assert openai.asked == []


def test_a_refused_key_is_permanent_and_never_told(
    openai: OpenAIServer, media: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        error = error_of(openai, media, key="sk-wrong-secret")
    assert isinstance(error, PermanentError)
    assert error.code == "openai_key_refused"
    assert "OPENAI_API_KEY" in error.detail
    assert "sk-wrong-secret" not in caplog.text + repr(error) + error.detail


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (an_error(403), PermanentError, "openai_key_refused"),
        (an_error(429, code="insufficient_quota"), PermanentError, "openai_quota_exhausted"),
        (an_error(404, code="model_not_found"), PermanentError, "openai_model_unknown"),
        (an_error(400, code="invalid_value"), PermanentError, "openai_request_refused"),
        (an_error(413, code="too_large"), PermanentError, "openai_request_refused"),
        (an_error(429, code="rate_limit_exceeded"), TransientError, "openai_busy"),
        (an_error(500), TransientError, "openai_busy"),
        (an_error(503), TransientError, "openai_busy"),
        (Reply(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}), TransientError, "openai_busy"),
        (Reply(200, b'{"text": "Good mor', {"Content-Type": "application/json"}), TransientError, "openai_bad_answer"),
        (Reply(200, b"<html>Hello</html>", {"Content-Type": "text/html"}), TransientError, "openai_bad_answer"),
        (Reply(200, b"\xff\xfe\x00", {"Content-Type": "application/json"}), TransientError, "openai_bad_answer"),
        (as_json(["text"]), TransientError, "openai_bad_answer"),
        (as_json({"text": 7}), TransientError, "openai_bad_answer"),
        (as_json({"text": "x", "segments": [{"start": "soon"}]}), TransientError, "openai_bad_answer"),
        (as_json({"text": "x", "segments": 5}), TransientError, "openai_bad_answer"),
        (
            as_json({"text": "x", "words": [{"word": "x", "start": None, "end": 1}]}),
            TransientError,
            "openai_bad_answer",
        ),
    ],
)
def test_each_failure_says_whether_to_try_again(
    openai: OpenAIServer, media: Path, reply: Reply, kind: type[WorkError], code: str
) -> None:
    openai.next(reply)
    error = error_of(openai, media)
    assert (type(error), error.code) == (kind, code)
    assert len(openai.asked) == 1, "the job retries, not the SDK"


def test_retry_after_is_handed_on(openai: OpenAIServer, media: Path) -> None:
    openai.next(an_error(429, code="rate_limit_exceeded", Retry_After="17"), an_error(429, code="x", Retry_After="no"))
    first, second = error_of(openai, media), error_of(openai, media)
    assert isinstance(first, TransientError)
    assert first.retry_after == 17
    assert isinstance(second, TransientError)
    assert second.retry_after is None


def test_a_cut_connection_is_transient(openai: OpenAIServer, media: Path) -> None:
    openai.next(Reply(200, b'{"text": "' + b"x" * 100_000 + b'"}', {"Content-Type": "application/json"}, cut=True))
    error = error_of(openai, media)
    assert isinstance(error, TransientError)
    assert error.code in {"openai_bad_answer", "openai_unreachable"}


def test_an_answer_that_never_comes_is_transient(openai: OpenAIServer, media: Path) -> None:
    openai.next(Reply(hang_s=30))
    with pytest.raises(TransientError) as caught:
        engine(openai, timeout_s=0.5).hear(media=media, span=Span(0, 5_000), language=None)
    assert caught.value.code == "openai_unreachable"


def test_nobody_listening_is_transient(media: Path) -> None:
    speech = OpenAISpeech(api_key=KEY, base_url="http://127.0.0.1:9/v1", model="whisper-1")
    with pytest.raises(TransientError) as caught:
        speech.hear(media=media, span=Span(0, 5_000), language=None)
    assert caught.value.code == "openai_unreachable"


def test_a_video_without_sound_is_not_sent(openai: OpenAIServer, tmp_path: Path) -> None:
    error = error_of(openai, write_picture_only(tmp_path / "a.mp4", seconds=2))
    assert error.code == "no_audio_track"
    assert openai.asked == []
