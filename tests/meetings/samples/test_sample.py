"""The sample meeting: the recording is what its script says, and can be heard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from meetings.samples import voicing

SCRIPT = json.loads(voicing.SCRIPT.read_text(encoding="utf-8"))


def _decoded(path: Path) -> voicing.Samples:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples: voicing.Samples = np.concatenate(frames).astype(np.float32)
    assert rate == 48_000, "Opus always decodes at 48 kHz"
    return samples


def test_the_recording_is_a_small_mono_opus_as_long_as_the_script_says() -> None:
    assert voicing.RECORDING.stat().st_size < 130_000
    with av.open(str(voicing.RECORDING)) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.AudioStream)
        assert (container.format.name, stream.name, stream.channels) == ("ogg", "opus", 1)
        assert stream.metadata["title"] == SCRIPT["title"]
    seconds = _decoded(voicing.RECORDING).size / 48_000
    assert seconds == pytest.approx(SCRIPT["duration_ms"] / 1000, abs=0.1)


def test_lines_follow_one_another_and_only_participants_speak() -> None:
    names = {person["name"] for person in SCRIPT["participants"]}
    assert {line["speaker"] for line in SCRIPT["lines"]} == names
    moments = [moment for line in SCRIPT["lines"] for moment in (line["start_ms"], line["end_ms"])]
    assert moments == sorted(set(moments))
    assert moments[-1] <= SCRIPT["duration_ms"]


def test_there_is_speech_where_the_script_has_a_line_and_silence_between_the_lines() -> None:
    samples = _decoded(voicing.RECORDING)

    def loudness(start_ms: int, end_ms: int) -> float:
        part = samples[start_ms * 48 : end_ms * 48]
        return float(np.sqrt(np.mean(part**2)))

    ends = [0] + [line["end_ms"] for line in SCRIPT["lines"]]
    for before, line in zip(ends, SCRIPT["lines"], strict=False):
        assert loudness(line["start_ms"], line["end_ms"]) > 0.05
        assert loudness(before + 100, line["start_ms"] - 100) < 0.01


def test_the_script_has_decisions_actions_with_owners_and_an_open_question() -> None:
    said = " ".join(line["text"] for line in SCRIPT["lines"])
    assert "we agreed to" in said
    assert "we decided to" in said
    assert "Andrew will check" in said
    assert "Who will speak" in said


def test_lines_are_laid_out_with_pauses_between_them() -> None:
    tone = np.ones(voicing.RATE, dtype=np.float32)
    samples, spans = voicing.lay_out([voicing.Voiced("a", tone), voicing.Voiced("b", tone)])
    first, second = spans
    assert first == (voicing.LEAD_MS, voicing.LEAD_MS + 1000)
    assert second[0] - first[1] == voicing.PAUSE_MS
    assert samples.size * 1000 // voicing.RATE == second[1] + voicing.PAUSE_MS


def test_trimming_cuts_silence_and_levels_what_is_left() -> None:
    silence = np.zeros(1000, dtype=np.float32)
    tone = np.sin(np.arange(5000) / 10).astype(np.float32) * 0.02
    trimmed = voicing.trim(np.concatenate([silence, tone, silence]))
    assert abs(trimmed.size - 5000) < 100
    assert float(np.sqrt(np.mean(trimmed**2))) == pytest.approx(voicing.LOUDNESS, rel=0.05)


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed (Debian: apt-get install flite)")
def test_voicing_the_script_again_gives_the_same_times(tmp_path: Path) -> None:
    script, recording = tmp_path / "script.json", tmp_path / "meeting.opus"
    shutil.copy(voicing.SCRIPT, script)
    voicing.voice_script(script=script, recording=recording)
    assert script.read_text(encoding="utf-8") == voicing.SCRIPT.read_text(encoding="utf-8")
    assert recording.stat().st_size == pytest.approx(voicing.RECORDING.stat().st_size, rel=0.05)
