"""Servers that die: started again where they were, with what they held; given up only when that does not help."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from chatvista.embedded import keeping
from chatvista.embedded.failing import StackError
from chatvista.embedded.stack import Stack
from tests.embedded.reaching import object_store, pids, ports_of


def test_servers_that_are_killed_come_back_where_they_were_with_what_they_held(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(home, environ={})
    environ = stack.start()
    try:
        store = object_store(environ)
        bucket = environ["DO_SPACES_BUCKET"]
        with (
            psycopg.connect(environ["DATABASE_URL"]) as connection,
            redis.Redis.from_url(environ["REDIS_URL"]) as cache,
        ):
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('committed')")
            connection.commit()
            connection.execute("INSERT INTO kept VALUES ('not committed')")
            cache.set("kept", "word")
            store.put_object(Bucket=bucket, Key="kept", Body=b"bytes")
            first = pids(home)
            # Their clients are still connected.
            for pid in first.values():
                os.kill(pid, signal.SIGKILL)
            come_back(stack, environ)
            connection.close()
        with psycopg.connect(environ["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("committed",)]
        with redis.Redis.from_url(environ["REDIS_URL"]) as cache:
            assert cache.get("kept") == b"word"
        assert store.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"bytes"
        store.close()
        assert set(pids(home)) == set(first)
        assert not set(pids(home).values()) & set(first.values())
    finally:
        stack.stop()
    told = capsys.readouterr().out
    for name in first:
        assert f"{name} ended (exit code -9); starting it again in 1 s." in told


def come_back(stack: Stack, environ: dict[str, str]) -> None:
    def are_back() -> bool:
        ports = zip(stack._running, ports_of(environ), strict=True)
        return all(part.deaths and part.is_running and server.is_ready(port=port) for (server, part), port in ports)

    watch(stack, until=are_back)


def watch(stack: Stack, *, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        stack.look()
        time.sleep(0.02)


def test_a_server_that_cannot_live_is_given_up_with_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_LONGEST_PAUSE", 0.1)
    stack = Stack(home, environ={"DATABASE_URL": "postgresql://a@b/c", "DO_SPACES_ENDPOINT": "https://d"})
    stack.start()
    try:
        # As when somebody else has taken its port for good.
        (home / "valkey" / "valkey.conf").write_text("port 1\nbind 192.0.2.1\n")
        os.kill(pids(home)["Valkey"], signal.SIGKILL)
        words = r"Valkey ended \(exit code 1\), 5 times in quick succession\. [^\0]*192\.0\.2\.1"
        with pytest.raises(StackError, match=words):
            watch(stack, until=lambda: False)
    finally:
        stack.stop()
