"""Speech to text on this machine: faster-whisper with the small English model, no network. Files: `weights`."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatvista.foundation.problems import PermanentError
from meetings.audio.decoding import RATE, whole
from meetings.audio.opening import Media
from meetings.gateways import weights
from meetings.gateways.contracts import Hearing, Span, Utterance, Word
from meetings.gateways.stitching import ordered, ordered_words, placed, sentences

_SHORTEST = RATE // 10
_loading = threading.Lock()
# One model per process and thread count, whoever asks; keyed by process id because a forked child must load its own:
# the threads of the parent's model do not exist in it.
_loaded: dict[tuple[int, Path, int], Any] = {}


class LocalSpeech:
    """Whisper tiny.en on the processor: about a twentieth of real time on two cores, 400 MB of memory.

    Args:
        threads: processor threads to use; 0 means all that this process may use.
        folder: where the model lies; asked of the installed package at first use by default.
    """

    name = "faster-whisper"
    model = weights.MODEL
    longest_clip_ms = 5 * 60_000

    def __init__(self, *, threads: int = 0, folder: Callable[[], Path] = weights.installed_folder) -> None:
        self._threads = threads
        self._folder = folder

    def hear(self, *, media: Media, span: Span, language: str | None) -> Hearing:
        """Hear one span; see `contracts.SpeechEngine`. English only.

        Raises:
            PermanentError: `language_not_supported`, `speech_engine_missing`, `speech_model_altered`,
                `no_audio_track`, `media_unreadable`.
        """
        if language and language.lower().split("-")[0] != "en":
            raise PermanentError(
                "language_not_supported",
                f"Speech in {language!r} cannot be transcribed on this machine, which knows English only: "
                "set OPENAI_API_KEY, or import a transcript.",
            )
        model = _load(self._folder(), threads=self._threads or _available_processors())
        samples = whole(media, start_ms=span.start_ms, end_ms=span.end_ms)
        if len(samples) < _SHORTEST:
            return Hearing(language="en", utterances=())
        segments, _ = model.transcribe(
            samples,
            language="en",
            vad_filter=True,  # without it Whisper hears " you" in silence
            word_timestamps=True,
            condition_on_previous_text=False,  # otherwise one repeated phrase can repeat to the end
        )
        return Hearing(language="en", utterances=_utterances(segments, span))


def _utterances(segments: Any, span: Span) -> tuple[Utterance, ...]:
    words: list[Word] = []
    wordless: list[Utterance] = []
    for segment in segments:
        if not segment.words:
            start_ms, end_ms = placed(start_s=segment.start, end_s=segment.end, span=span)
            wordless.append(Utterance(start_ms=start_ms, end_ms=end_ms, text=segment.text))
        for word in segment.words or ():
            start_ms, end_ms = placed(start_s=word.start, end_s=word.end, span=span)
            if words and word.word[:1].strip():  # no space before it: ",000" belongs to "40"
                before = words.pop()
                words.append(Word(text=before.text + word.word, start_ms=before.start_ms, end_ms=end_ms))
            else:
                words.append(Word(text=word.word, start_ms=start_ms, end_ms=end_ms))
    return ordered((*sentences(ordered_words(words)), *wordless))


def _load(folder: Path, *, threads: int) -> Any:
    key = (os.getpid(), folder, threads)
    with _loading:
        if key not in _loaded:
            weights.verify(folder)
            try:
                engine = importlib.import_module("faster_whisper")
            except ImportError as error:
                raise weights.missing() from error
            _loaded[key] = engine.WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        return _loaded[key]


def _available_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
