from __future__ import annotations

import struct
import time
from pathlib import Path

import av
import numpy as np
import pytest

from chatvista.foundation.problems import Problem
from meetings.audio.probing import probe
from tests.meetings.audio.making import write_picture_only, write_sound, write_still

EXPECTED = {
    "wav": ("audio/wav", "wav", "pcm_s16le"),
    "flac": ("audio/flac", "flac", "flac"),
    "opus": ("audio/ogg", "opus", "opus"),
    "m4a": ("audio/mp4", "m4a", "aac"),
    "mp3": ("audio/mpeg", "mp3", "mp3"),
    "weba": ("audio/webm", "weba", "opus"),
    "mka": ("audio/x-matroska", "mka", "flac"),
    "aac": ("audio/aac", "aac", "aac"),
}


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_each_kind_of_sound_is_recognised_whatever_its_name(tmp_path: Path, kind: str) -> None:
    probed = probe(write_sound(tmp_path / "upload.bin", kind=kind, seconds=5, at=[1]))
    assert (probed.media_type, probed.extension, probed.audio_codec) == EXPECTED[kind]
    assert probed.duration_ms == pytest.approx(5000, abs=120)
    assert (probed.video_codec, probed.channels) == (None, 1)


@pytest.mark.parametrize(("kind", "media_type"), [("m4a", "video/mp4"), ("weba", "video/webm")])
def test_video_with_sound_is_recognised(tmp_path: Path, kind: str, media_type: str) -> None:
    probed = probe(write_sound(tmp_path / "a", kind=kind, seconds=4, at=[1], picture=True))
    assert probed.media_type == media_type
    assert probed.audio_codec
    assert probed.video_codec


def test_video_without_sound_is_video(tmp_path: Path) -> None:
    probed = probe(write_picture_only(tmp_path / "a", seconds=3))
    assert (probed.media_type, probed.audio_codec, probed.sample_rate) == ("video/mp4", None, 0)
    assert probed.duration_ms == pytest.approx(3000, abs=250)


def test_a_streamed_webm_without_a_length_is_measured(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.webm", kind="weba", seconds=33, at=[1], headless=True)
    with av.open(str(path)) as container:
        assert not container.duration, "the file made for this test must not know its length"
    assert probe(path).duration_ms == pytest.approx(33_000, abs=100)


def test_a_variable_rate_mp3_without_an_index_is_measured(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a", kind="mp3", seconds=100, at=[50, 51, 52], vbr=True, headless=True)
    assert probe(path).duration_ms == pytest.approx(100_000, abs=200)


def test_an_hour_of_mp3_is_probed_within_a_moment(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a", kind="mp3", seconds=30, at=[5])
    path.write_bytes(path.read_bytes() * 120)
    start = time.monotonic()
    assert probe(path).duration_ms == pytest.approx(3_600_000, rel=0.01)
    assert time.monotonic() - start < 4


def refused(path: Path) -> None:
    with pytest.raises(Problem) as caught:
        probe(path)
    assert (caught.value.code, caught.value.status) == ("not_audio_or_video", 415)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile '{victim}'\nduration 3\n",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{victim}\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
        "1\n00:00:01,000 --> 00:00:02,000\nHello\n",
        "Dear all, this is a plain text that somebody named like a film. " * 200,
        "",
    ],
    ids=["ffconcat", "hls", "sdp", "dash", "subtitles", "text", "empty"],
)
@pytest.mark.parametrize("name", ["meeting.mp4", "meeting.mp3", "meeting.aac", "meeting.m3u8", "noname"])
def test_text_of_any_kind_under_any_name_is_refused(tmp_path: Path, text: str, name: str) -> None:
    victim = write_sound(tmp_path / "victim.wav", kind="wav", seconds=1)
    (tmp_path / name).write_text(text.replace("{victim}", str(victim)))
    refused(tmp_path / name)


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.mp4", "a"])
@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused(tmp_path: Path, name: str, seed: int) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(seed).bytes(300_000))
    refused(tmp_path / name)


@pytest.mark.parametrize("encoder", ["png", "gif", "mjpeg"])
@pytest.mark.parametrize("name", ["a.png", "a.mp4"])
def test_a_picture_is_not_a_video(tmp_path: Path, encoder: str, name: str) -> None:
    made = write_still(tmp_path / f"made.{encoder}", encoder=encoder)
    (tmp_path / name).write_bytes(made.read_bytes())
    refused(tmp_path / name)


def test_an_mp4_cut_off_before_its_index_is_refused(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.mp4", kind="m4a", seconds=5, at=[1])
    data = path.read_bytes()
    assert data.rindex(b"moov") > data.index(b"mdat")
    path.write_bytes(data[: data.rindex(b"moov") - 100])
    refused(path)


def test_a_header_without_a_single_sample_is_refused(tmp_path: Path) -> None:
    header = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    (tmp_path / "a.wav").write_bytes(header + b"data" + struct.pack("<I", 0))
    refused(tmp_path / "a.wav")


def test_an_mp4_that_refers_to_another_file_does_not_lead_to_it(tmp_path: Path) -> None:
    victim = write_sound(tmp_path / "victim.wav", kind="wav", seconds=1)
    path = write_sound(tmp_path / "a.mp4", kind="m4a", seconds=2, at=[1])
    data = path.read_bytes()
    name = str(victim).encode()
    # A data reference of type "url " with flags 0 points outside; grow the box in place is not possible, so rename it.
    assert data.count(b"url \x00\x00\x00\x01") == 1
    path.write_bytes(data.replace(b"url \x00\x00\x00\x01", b"url \x00\x00\x00\x00") + name)
    probed = probe(path)
    assert probed.audio_codec == "aac", "the samples inside the file itself are used"


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "absent.wav")


def test_a_name_that_looks_like_an_address_is_only_a_name(tmp_path: Path) -> None:
    path = tmp_path / "concat:x|http:y%03d.wav"
    write_sound(tmp_path / "plain.wav", kind="wav", seconds=1, at=[0.2]).rename(path)
    assert probe(path).media_type == "audio/wav"
