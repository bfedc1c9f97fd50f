"""What a media file is, decided from its bytes: container, codecs, length. Its name and declared type count nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from chatvista.foundation.problems import Problem
from meetings.audio.opening import Media, opened, raw

LONGEST_MS = 7 * 24 * 3600 * 1000
_SCAN_S = 5.0  # the most time spent on counting packets where the header knows no duration
_PROOF_PACKETS = 200  # most of the first packets must decode: noise may look like media here and there
# Their headers hold no duration, and FFmpeg's guess from the bit rate is wrong for variable rates.
_COUNTED = frozenset({"mp3", "aac", "amr", "mpeg", "mpegts"})
_STILL_BRANDS = ("avif", "avis", "heic", "heix", "heim", "heis", "mif1", "msf1")

# container -> (media type and extension with sound only, with a picture)
_TYPES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "mp4": (("audio/mp4", "m4a"), ("video/mp4", "mp4")),
    "quicktime": (("audio/mp4", "m4a"), ("video/quicktime", "mov")),
    "3gpp": (("audio/3gpp", "3gp"), ("video/3gpp", "3gp")),
    "matroska": (("audio/x-matroska", "mka"), ("video/x-matroska", "mkv")),
    "webm": (("audio/webm", "weba"), ("video/webm", "webm")),
    "ogg": (("audio/ogg", "ogg"), ("video/ogg", "ogv")),
    "flac": (("audio/flac", "flac"), ("audio/flac", "flac")),
    "mp3": (("audio/mpeg", "mp3"), ("audio/mpeg", "mp3")),
    "wav": (("audio/wav", "wav"), ("audio/wav", "wav")),
    "w64": (("audio/x-w64", "w64"), ("audio/x-w64", "w64")),
    "aac": (("audio/aac", "aac"), ("audio/aac", "aac")),
    "aiff": (("audio/aiff", "aiff"), ("audio/aiff", "aiff")),
    "caf": (("audio/x-caf", "caf"), ("audio/x-caf", "caf")),
    "au": (("audio/basic", "au"), ("audio/basic", "au")),
    "amr": (("audio/amr", "amr"), ("audio/amr", "amr")),
    "avi": (("video/x-msvideo", "avi"), ("video/x-msvideo", "avi")),
    "asf": (("audio/x-ms-wma", "wma"), ("video/x-ms-wmv", "wmv")),
    "mpegts": (("video/mp2t", "ts"), ("video/mp2t", "ts")),
    "mpeg": (("audio/mpeg", "mpg"), ("video/mpeg", "mpg")),
    "flv": (("video/x-flv", "flv"), ("video/x-flv", "flv")),
}


@dataclass(frozen=True, slots=True)
class Probed:
    """What a file turned out to be. A video without sound has `audio_codec` None, `sample_rate` (hertz) 0."""

    duration_ms: int
    container: str
    audio_codec: str | None
    video_codec: str | None
    sample_rate: int
    channels: int
    media_type: str
    extension: str


def probe(media: Media) -> Probed:
    """Tell what a media file is, in bounded time and without decoding more than a moment of it.

    Raises:
        Problem: `not_audio_or_video` (415), also for playlists, pictures and files cut off before their index.
        OSError: the file cannot be read.
    """
    try:
        with opened(media) as container:
            return _described(container, media)
    except (FFmpegError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise _refusal() from error


def _described(container: InputContainer, media: Media) -> Probed:
    name = _container_name(container, media)
    audio = container.streams.best("audio")
    video = _moving_picture(container)
    sound = audio if isinstance(audio, AudioStream) and 0 < audio.rate <= 768_000 else None
    main = sound or video
    if main is None or not _decodes(container, main):
        raise _refusal()
    duration_ms = _header_duration_ms(container, name)
    if duration_ms is None:
        duration_ms = _counted_duration_ms(media)
    if not 0 < duration_ms <= LONGEST_MS:
        raise _refusal()
    media_type, extension = _TYPES[name][1 if video else 0]
    if name == "ogg" and sound and not video and sound.codec_context.codec.canonical_name == "opus":
        extension = "opus"
    return Probed(
        duration_ms=duration_ms,
        container=name,
        audio_codec=sound.codec_context.codec.canonical_name if sound else None,
        video_codec=video.codec_context.codec.canonical_name if video else None,
        sample_rate=sound.rate if sound else 0,
        channels=sound.channels if sound else 0,
        media_type=media_type,
        extension=extension,
    )


def _container_name(container: InputContainer, media: Media) -> str:
    family = container.format.name.split(",", 1)[0]
    if family == "mov":
        brand = container.metadata.get("major_brand", "").strip().lower()
        if brand in _STILL_BRANDS:
            raise _refusal()
        return "quicktime" if brand in {"qt", ""} else "3gpp" if brand.startswith("3g") else "mp4"
    if family == "matroska":
        with raw(media) as file:  # the two differ in one word of their first element only
            return "webm" if b"webm" in file.read(64) else "matroska"
    if family not in _TYPES:
        raise _refusal()
    return family


def _moving_picture(container: InputContainer) -> VideoStream | None:
    for stream in container.streams.video:
        # The cover of an album is a stream too.
        if not stream.disposition & (Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails):
            return stream
    return None


def _decodes(container: InputContainer, stream: Stream) -> bool:
    good = bad = 0
    for number, packet in enumerate(container.demux(stream)):
        try:
            good += bool(packet.decode())
        except FFmpegError:
            bad += 1
        if good > 10 * bad + 10 or number >= _PROOF_PACKETS:
            break
    return good > 2 * bad


def _header_duration_ms(container: InputContainer, name: str) -> int | None:
    if name in _COUNTED or not container.duration or container.duration < 0:
        return None
    duration_ms = container.duration * 1000 // av.time_base
    return duration_ms if 0 < duration_ms <= LONGEST_MS else None


def _counted_duration_ms(media: Media) -> int:
    """Count packets; when time runs out, extend what was counted by the share of bytes it took."""
    deadline = time.monotonic() + _SCAN_S
    with opened(media) as container:
        stream = container.streams.best("audio") or _moving_picture(container)
        if stream is None or stream.time_base is None:
            raise _refusal()
        first: int | None = None
        end = counted = 0
        for packet in container.demux(stream):
            if packet.pts is None:
                continue
            first = packet.pts if first is None else min(first, packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
            counted += 1
            if counted % 1024 == 0 and packet.pos and time.monotonic() > deadline:
                end = first + (end - first) * container.size // packet.pos
                break
        return int((end - (first or 0)) * stream.time_base * 1000)


def _refusal() -> Problem:
    return Problem(
        "not_audio_or_video",
        "The file is not audio or video that can be played (mp4, m4a, webm, mkv, ogg, opus, mp3, flac, wav, ...).",
        status=415,
    )
