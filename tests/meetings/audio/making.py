"""Media files made on the spot: marks of sound at known moments in any container, so that positions can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# name -> (FFmpeg's container, encoder, its sample format, rate)
SOUNDS = {
    "wav": ("wav", "pcm_s16le", "s16", 44100),
    "flac": ("flac", "flac", "s16", 44100),
    "opus": ("ogg", "libopus", "flt", 48000),
    "m4a": ("ipod", "aac", "fltp", 44100),
    "mp3": ("mp3", "libmp3lame", "fltp", 44100),
    "weba": ("webm", "libopus", "flt", 48000),
    "mka": ("matroska", "flac", "s16", 16000),
    "aac": ("adts", "aac", "fltp", 44100),
}


def marks(*, seconds: float, rate: int, at: Sequence[float], noise: float = 0.0) -> npt.NDArray[np.float32]:
    """Silence with a 200 ms tone at each moment of `at` (seconds), every tone of its own pitch."""
    time = np.arange(int(seconds * rate)) / rate
    sound = np.random.default_rng(7).normal(0, noise, len(time)) if noise else np.zeros(len(time))
    for number, moment in enumerate(at):
        inside = (time >= moment) & (time < moment + 0.2)
        sound[inside] += 0.5 * np.sin(2 * np.pi * (400 + 150 * number) * time[inside])
    return np.asarray(sound, dtype=np.float32)


def write_sound(
    path: Path,
    *,
    kind: str,
    seconds: float,
    at: Sequence[float] = (),
    noise: float = 0.0,
    picture: bool = False,
    vbr: bool = False,
    headless: bool = False,
) -> Path:
    """Write `marks` as a file of the given kind; with `picture`, beside a video track (mp4 or webm)."""
    container_name, encoder, sample_format, rate = SOUNDS[kind]
    if picture:
        container_name = "webm" if kind == "weba" else "mp4"
    options = {"live": "1"} if headless and container_name == "webm" else {}
    if headless and kind == "mp3":
        options = {"write_xing": "0"}
    samples = marks(seconds=seconds, rate=rate, at=at, noise=noise)
    with av.open(str(path), "w", format=container_name, options=options) as container:
        stream = cast("AudioStream", container.add_stream(encoder, rate=rate, options={"q": "7"} if vbr else {}))
        stream.codec_context.layout = "mono"
        stream.codec_context.format = sample_format
        if picture:
            _film(container, encoder="libvpx" if kind == "weba" else "mpeg4", seconds=seconds)
        shaped = (samples * 32767).astype(np.int16) if sample_format == "s16" else samples
        for start in range(0, len(shaped), rate):
            block = shaped[start : start + rate].reshape(1, -1)
            frame = AudioFrame.from_ndarray(block, format=sample_format, layout="mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_picture_only(path: Path, *, seconds: float) -> Path:
    """Write an mp4 with a video track and no sound."""
    with av.open(str(path), "w", format="mp4") as container:
        _film(container, encoder="mpeg4", seconds=seconds)
    return path


def write_still(path: Path, *, encoder: str) -> Path:
    """Write one picture: png, gif or mjpeg (a JPEG)."""
    single = {"update": "1"} if encoder != "gif" else {}
    with av.open(str(path), "w", format="gif" if encoder == "gif" else "image2", options=single) as container:
        stream = cast("VideoStream", container.add_stream(encoder, rate=1))
        stream.width = stream.height = 32
        stream.pix_fmt = {"png": "rgb24", "gif": "rgb8", "mjpeg": "yuvj420p"}[encoder]
        frame = VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8), format="rgb24")
        container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    return path


def _film(container: OutputContainer, *, encoder: str, seconds: float) -> None:
    video = cast("VideoStream", container.add_stream(encoder, rate=5))
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    for number in range(int(seconds * 5)):
        image = np.full((48, 64, 3), number % 255, dtype=np.uint8)
        container.mux(video.encode(VideoFrame.from_ndarray(image, format="rgb24")))
    container.mux(video.encode(None))
