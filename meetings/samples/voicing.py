"""How the sample meeting got its voice: the script spoken by flite's free voices, encoded as Ogg Opus.

Run `python -m meetings.samples.voicing` after editing `script.json`; it rewrites `meeting.opus` and the times in
the script. It needs Debian's `flite` (voices slt, rms, awb and kal16), which nothing else in the product does.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "script.json"
RECORDING = HERE / "meeting.opus"

RATE = 24_000
"""Samples per second of the recording; Opus' own super-wideband rate, above what the voices hold."""
BIT_RATE = 11_000
LEAD_MS = 300
PAUSE_MS = 550
"""Silence between two speakers."""
BREATH_MS = 380
"""Silence between two sentences of one speaker: what makes a listener, and Whisper, hear a full stop."""
LOUDNESS = 0.09
"""Root mean square every line is brought to, so that no voice is louder than another."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voiced:
    """One spoken line: what was said and its samples, silence at both ends cut off."""

    text: str
    samples: Samples


def decode(path: Path) -> Samples:
    """Return the mono samples of an audio file at `RATE`, in -1..1."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    pieces: list[Samples] = []
    with av.open(str(path), format="wav") as container:
        for frame in container.decode(audio=0):
            pieces.extend(piece.to_ndarray()[0] for piece in resampler.resample(frame))
        pieces.extend(piece.to_ndarray()[0] for piece in resampler.resample(None))
    return np.concatenate(pieces).astype(np.float32)


def trim(samples: Samples) -> Samples:
    """Cut the silence off both ends and level the loudness."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    kept = samples[loud[0] : loud[-1] + 1] if loud.size else samples
    level = float(np.sqrt(np.mean(kept**2)))
    return np.clip(kept * (LOUDNESS / level), -0.99, 0.99).astype(np.float32) if level else kept


def speak(*, text: str, voice: str, pace: float) -> Voiced:
    """Have one line spoken; `pace` above 1 is slower.

    Raises:
        FileNotFoundError: flite is not installed.
        subprocess.CalledProcessError: flite does not know the voice.
    """
    program = shutil.which("flite")
    if program is None:
        raise FileNotFoundError("flite is not installed (Debian: apt-get install flite)")
    breath = np.zeros(RATE * BREATH_MS // 1000, dtype=np.float32)
    pieces: list[Samples] = []
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "sentence.wav"
        for sentence in re.findall(r"[^.?!]+[.?!]", text):
            command = [program, "-voice", voice, "--setf", f"duration_stretch={pace}", "-t", sentence, "-o", str(wave)]
            subprocess.run(command, check=True)  # noqa: S603 - the words are our own script's
            pieces += [trim(decode(wave)), breath]
    return Voiced(text=text, samples=np.concatenate(pieces[:-1]))


def lay_out(voiced: Sequence[Voiced]) -> tuple[Samples, list[tuple[int, int]]]:
    """Put the lines one after another, a short pause between them; return the samples and each line's span in ms."""
    track: list[Samples] = [np.zeros(RATE * LEAD_MS // 1000, dtype=np.float32)]
    spans: list[tuple[int, int]] = []
    position = track[0].size
    for line in voiced:
        end = position + line.samples.size
        spans.append((position * 1000 // RATE, end * 1000 // RATE))
        pause = np.zeros(RATE * PAUSE_MS // 1000, dtype=np.float32)
        track += [line.samples, pause]
        position = end + pause.size
    return np.concatenate(track), spans


def encode(samples: Samples, *, to: Path, title: str) -> None:
    """Write mono samples as Ogg Opus, bit for bit the same for the same samples and the same FFmpeg."""
    with av.open(str(to), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        container.metadata["title"] = title
        stream = container.add_stream("libopus", rate=RATE, options={"application": "voip"})
        stream.bit_rate = BIT_RATE
        stream.layout = "mono"
        stream.time_base = Fraction(1, RATE)
        for start in range(0, samples.size, RATE):
            block = (samples[start : start + RATE] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = RATE
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def format_script(script: dict[str, Any]) -> str:
    """Return the script as JSON with one participant and one line per row, so that a diff reads well."""
    rows = {
        key: "[\n" + ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in value) + "\n  ]"
        if isinstance(value, list)
        else json.dumps(value, ensure_ascii=False)
        for key, value in script.items()
    }
    return "{\n" + ",\n".join(f'  "{key}": {row}' for key, row in rows.items()) + "\n}\n"


def voice_script(*, script: Path = SCRIPT, recording: Path = RECORDING) -> None:
    """Speak the script, write the recording, and put the true times of each line into the script."""
    told = json.loads(script.read_text(encoding="utf-8"))
    cast = {person["name"]: person for person in told["participants"]}
    voiced = []
    for line in told["lines"]:
        person = cast[line["speaker"]]
        voiced.append(speak(text=line["text"], voice=person["voice"], pace=person["pace"]))
    samples, spans = lay_out(voiced)
    encode(samples, to=recording, title=told["title"])
    lines = [
        {"speaker": line["speaker"], "start_ms": start, "end_ms": end, "text": line["text"]}
        for line, (start, end) in zip(told["lines"], spans, strict=True)
    ]
    told |= {"duration_ms": samples.size * 1000 // RATE, "lines": lines}
    script.write_text(format_script(told), encoding="utf-8")


if __name__ == "__main__":
    voice_script()
