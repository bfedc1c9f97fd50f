"""Media whose bytes lie sealed on the disk: everything reads them as if they lay there open."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from chatvista.foundation.ciphers import SealBrokenError, seal_whole
from chatvista.foundation.unsealed import unsealed
from meetings.audio import cutting
from meetings.audio.decoding import whole
from meetings.audio.encoding import encode
from meetings.audio.probing import probe
from meetings.gateways.contracts import Span
from tests.meetings.audio.making import SOUNDS, write_sound

KEY, CONTEXT = b"k" * 32, b"a recording"


def sealed(path: Path, spoil: Callable[[bytearray], None] = lambda data: None) -> BinaryIO:
    data = bytearray(seal_whole(path.read_bytes(), key=KEY, context=CONTEXT))
    spoil(data)
    return unsealed(io.BytesIO(data), key=KEY, context=CONTEXT, sealed_size=len(data))


@pytest.mark.parametrize("kind", sorted(SOUNDS))
@pytest.mark.parametrize("headless", [False, True])
def test_sealed_sound_is_the_same_sound(tmp_path: Path, kind: str, headless: bool) -> None:
    path = write_sound(tmp_path / "a", kind=kind, seconds=30, at=[3, 20.5], noise=0.01, headless=headless)
    with sealed(path) as media:
        assert probe(media) == probe(path)
        for start, end in ((19_000, 22_000), (0, 1_000)):
            ours, theirs = (whole(given, start_ms=start, end_ms=end) for given in (media, path))
            assert np.array_equal(ours, theirs)
        assert cutting.energies(media).duration_ms == cutting.energies(path).duration_ms
        clip, same = io.BytesIO(), io.BytesIO()
        assert encode(media, span=Span(1_000, 5_000), into=clip) == encode(path, span=Span(1_000, 5_000), into=same)
        assert len(clip.getvalue()) == len(same.getvalue()) > 1_000
        assert not media.closed


def test_a_broken_seal_is_an_error_and_never_a_shorter_sound(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a", kind="wav", seconds=30, noise=0.1)

    def spoil(data: bytearray) -> None:
        data[len(data) // 2] ^= 4

    with sealed(path, spoil) as media, pytest.raises(SealBrokenError):
        cutting.energies(media)
