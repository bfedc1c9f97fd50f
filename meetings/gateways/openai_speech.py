"""Speech to text by an OpenAI-compatible server: a span goes out as a small Ogg file, timed text comes back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from chatvista.foundation.problems import PermanentError, TransientError
from meetings.audio.encoding import encode
from meetings.audio.opening import Media
from meetings.gateways.contracts import Hearing, Span, Utterance, Word
from meetings.gateways.languages import code_of
from meetings.gateways.openai_calls import TooLongError, make_client, translated_errors
from meetings.gateways.stitching import cleaned, ordered, ordered_words, placed

_SHORTEST_MS = 100  # the API refuses less


class OpenAISpeech:
    """The audio/transcriptions endpoint.

    Models of the Whisper family tell when each word was said. Others give text alone, so they get clips of half a
    minute, each of which becomes one line: its times are the clip's, never guessed.

    Args:
        api_key: sent as a bearer token; never logged.
        base_url: "" for OpenAI itself.
        model: the model's name at that server.
        timeout_s: how long one answer may take.
    """

    name = "openai"

    def __init__(self, *, api_key: str, base_url: str, model: str, timeout_s: float = 600.0) -> None:
        self.model = model
        self._timed = "whisper" in model.lower()
        self.longest_clip_ms = 10 * 60_000 if self._timed else 30_000
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_s = timeout_s

    def hear(self, *, media: Media, span: Span, language: str | None) -> Hearing:
        """Hear one span; see `contracts.SpeechEngine`. Raises those of `openai_calls` and of `encode`."""
        clip = io.BytesIO()  # two megabytes at the most, and never on a disk: the recording may be confidential
        if encode(media, span=span, into=clip) < _SHORTEST_MS:
            return Hearing(language=language or "", utterances=())
        answer = self._ask(clip.getvalue(), language=language)
        return _hearing(answer, span=span, language=language)

    def _ask(self, clip: bytes, *, language: str | None) -> dict[str, Any]:
        more: dict[str, Any] = {"response_format": "json"}
        if self._timed:
            more = {"response_format": "verbose_json", "timestamp_granularities": ["segment", "word"]}
        if language:
            more["language"] = language.split("-")[0].lower()
        try:
            with (
                translated_errors(model=self.model),
                make_client(api_key=self._api_key, base_url=self._base_url, timeout_s=self._timeout_s) as client,
            ):
                raw = client.audio.transcriptions.with_raw_response.create(
                    file=("clip.ogg", clip, "audio/ogg"), model=self.model, **more
                )
                answer = raw.http_response.json()
        except TooLongError as error:
            raise PermanentError("openai_request_refused", "The speech service finds the clip too long.") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise _senseless()
        return answer


def _hearing(answer: dict[str, Any], *, span: Span, language: str | None) -> Hearing:
    heard = code_of(str(answer.get("language") or "")) or (language or "").split("-")[0].lower()
    try:
        words = ordered_words(_word(item, span) for item in answer.get("words") or ())
        segments = [_segment(item, span) for item in answer.get("segments") or ()]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _senseless() from error
    if not segments and cleaned(answer["text"]):
        segments = [Utterance(start_ms=span.start_ms, end_ms=span.end_ms, text=answer["text"])]
    return Hearing(language=heard, utterances=_with_words(ordered(segments), words))


def _word(item: Any, span: Span) -> Word:
    start_ms, end_ms = placed(start_s=item["start"], end_s=item["end"], span=span)
    return Word(text=str(item["word"]), start_ms=start_ms, end_ms=end_ms)


def _segment(item: Any, span: Span) -> Utterance:
    start_ms, end_ms = placed(start_s=item["start"], end_s=item["end"], span=span)
    return Utterance(start_ms=start_ms, end_ms=end_ms, text=str(item["text"]))


def _with_words(utterances: tuple[Utterance, ...], words: Iterable[Word]) -> tuple[Utterance, ...]:
    """Give each word to the last utterance that begins before the word's middle."""
    shares: list[list[Word]] = [[] for _ in utterances]
    at = 0
    for word in words:
        middle = (word.start_ms + word.end_ms) / 2
        while at + 1 < len(utterances) and utterances[at + 1].start_ms <= middle:
            at += 1
        if shares:
            shares[at].append(word)
    return tuple(
        Utterance(start_ms=item.start_ms, end_ms=item.end_ms, text=item.text, words=tuple(share) or None)
        for item, share in zip(utterances, shares, strict=True)
    )


def _senseless() -> TransientError:
    # Transient: seen when a proxy or an overloaded server answers in the API's place. The job's attempts are bounded.
    return TransientError("openai_bad_answer", "The speech service sent an answer that makes no sense.")
