"""Connections cut at random bytes of a large body, on a real server: nothing is there afterwards (guarantee G2)."""

from __future__ import annotations

import datetime as dt
import random
import socket
from pathlib import Path

import pytest

from meetings.models import Recording
from storage_sync.models import StoredFile
from storage_sync.sides.cloud import cloud
from tests.journeys.conftest import Web
from tests.journeys.houses import MIB, eventually
from tests.journeys.sounds import noise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SIZE = 40 * MIB


def test_a_body_cut_anywhere_is_nowhere(web: Web, address: str, bearer: dict[str, str]) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sound = noise(seconds=SIZE / 32_000)
    for at in [1, 16 * MIB, 16 * MIB + 1, len(sound) - 1, *(chance.randrange(len(sound)) for _ in range(8))]:
        head = f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: audio/wav\r\n"
        head += f"Content-Length: {len(sound)}\r\nAuthorization: {bearer['Authorization']}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", web.port)) as wire:
            wire.sendall(head.encode() + sound[:at])
    eventually(lambda: left(web.storage) == [], within=60, or_else=lambda: str(left(web.storage)))
    assert (Recording.objects.count(), StoredFile.objects.count()) == (0, 0)
    connection = web.connect()
    connection.request("POST", address, body=sound, headers=bearer | {"Content-Type": "audio/wav"})
    assert connection.getresponse().status == 201
    connection.close()


def left(storage: Path) -> list[str]:
    """What lies on either side, or is on its way there."""
    side = cloud()
    assert side is not None
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    under_way = [upload.key for upload in side.open_multiparts(before=later)]
    on_disk = [str(path) for path in storage.rglob("*") if path.is_file() and path.stat().st_size > 1000]
    return under_way + on_disk + [found.key for found in side.page(prefix="recordings/").found]
