"""The three servers: started, stopped, crashed, replaced; what lies on disk and who may read it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from botocore.exceptions import ClientError

from chatvista.embedded.failing import StackError
from chatvista.embedded.processes import born_at, command_of
from chatvista.embedded.servers import accepts
from chatvista.embedded.stack import Stack
from tests.embedded.reaching import object_store, ports_of

START_AND_WAIT = """
import json, os, sys
from pathlib import Path
from chatvista.embedded.stack import Stack
environ = Stack(Path(os.environ["CHATVISTA_HOME"]), environ={}, careless=True).start()
print(json.dumps(environ), flush=True)
sys.stdin.read()
"""


def test_what_the_servers_hold_survives_a_restart(home: Path) -> None:
    stack = Stack(home, environ={})
    first = stack.start()
    with psycopg.connect(first["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('grüße')")
    with redis.Redis.from_url(first["REDIS_URL"]) as cache:
        cache.set("kept", "word")
    store = object_store(first)
    store.put_object(Bucket=first["DO_SPACES_BUCKET"], Key="a/b c", Body=b"bytes")
    store.close()
    stack.stop()
    assert not any(accepts(port) for port in ports_of(first))

    stack = Stack(home, environ={})
    second = stack.start()
    try:
        with psycopg.connect(second["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("grüße",)
        with redis.Redis.from_url(second["REDIS_URL"]) as cache:
            assert cache.get("kept") == b"word"
        store = object_store(second)
        assert store.get_object(Bucket=second["DO_SPACES_BUCKET"], Key="a/b c")["Body"].read() == b"bytes"
        store.close()
    finally:
        stack.stop()


def test_nobody_enters_a_server_without_its_password(home: Path) -> None:
    stack = Stack(home, environ={}, careless=True)
    environ = stack.start()
    try:
        port = ports_of(environ)[0]
        for user in ("chatvista", "postgres"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(host="127.0.0.1", port=port, user=user, dbname="postgres", password="guess")
        with (
            redis.Redis(host="127.0.0.1", port=ports_of(environ)[1]) as cache,
            pytest.raises(redis.AuthenticationError),
        ):
            cache.ping()
        store = object_store(environ, secret="guess")
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            store.list_objects_v2(Bucket=environ["DO_SPACES_BUCKET"])
        store.close()
    finally:
        stack.stop()


def test_no_password_shows_in_a_command_line(home: Path) -> None:
    stack = Stack(home, environ={}, careless=True)
    stack.start()
    try:
        secrets = json.loads((home / "services.json").read_text())
        shown = [command_of(int(pid)) for pid in json.loads((home / "processes.json").read_text())]
        assert len(shown) == 3
        assert all(shown)
        assert not [value for value in secrets.values() if any(value in line for line in shown)]
    finally:
        stack.stop()


def test_secrets_are_made_once_and_for_their_owner_alone(home: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://b", "DO_SPACES_ENDPOINT": "https://d"}
    first = Stack(home, environ=environ).start()
    second = Stack(home, environ=environ).start()
    names = ("JWT_SECRET", "JWT_REFRESH_SECRET", "SESSION_SECRET", "ENCRYPTION_KEY", "SIGNING_KEY")
    assert [first[name] for name in names] == [second[name] for name in names]
    assert len({first[name] for name in names}) == 5
    assert all(len(first[name]) >= 48 for name in names)
    assert all(len(bytes.fromhex(first[name])) == 32 for name in ("ENCRYPTION_KEY", "SIGNING_KEY"))
    for file in home.glob("*.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_half_set_family_of_secrets_is_not_completed(home: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://b", "DO_SPACES_ENDPOINT": "https://d"}
    complete = Stack(home, environ={**environ, "JWT_SECRET": "x" * 48}).start()
    assert complete["JWT_SECRET"] == "x" * 48
    assert "SIGNING_KEY" not in complete
    assert not (home / "secrets.json").exists()


def test_a_server_of_the_callers_own_replaces_ours(home: Path) -> None:
    theirs = {"DATABASE_URL": "postgresql://a@db/c", "DO_SPACES_BUCKET": "theirs", "LOG_FORMAT": "json"}
    stack = Stack(home, environ=theirs, careless=True)
    complete = stack.start()
    try:
        started = [entry["name"] for entry in json.loads((home / "processes.json").read_text()).values()]
        assert started == ["Valkey"]
        assert {name: complete[name] for name in theirs} == theirs
        # Half of Spaces is the caller's mistake, which the settings name.
        assert "DO_SPACES_ENDPOINT" not in complete
        assert not (home / "postgresql").exists()
    finally:
        stack.stop()


def test_nobody_else_may_look_at_the_data(home: Path) -> None:
    stack = Stack(home, environ={}, careless=True)
    stack.start()
    stack.stop()
    open_to_others = [
        path
        for path in home.rglob("*")
        if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not _is_sheltered(path, home=home)
    ]
    assert open_to_others == []
    assert not stat.S_IMODE(home.stat().st_mode) & 0o066


def _is_sheltered(path: Path, *, home: Path) -> bool:
    between = [parent for parent in path.parents if home in parent.parents]
    return any(not stat.S_IMODE(parent.stat().st_mode) & 0o077 for parent in between)


def test_servers_end_with_a_killed_owner_and_the_next_start_goes_on(
    home: Path, python: Callable[[str], subprocess.Popen[str]]
) -> None:
    owner = python(START_AND_WAIT)
    assert owner.stdout is not None
    first = json.loads(owner.stdout.readline())
    with psycopg.connect(first["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    owner.kill()
    owner.wait()

    stack = Stack(home, environ={}, careless=True)
    second = stack.start()
    try:
        assert not any(accepts(port) for port in ports_of(first))
        with psycopg.connect(second["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    finally:
        stack.stop()


def test_the_next_start_goes_on_after_everything_was_killed(
    home: Path, python: Callable[[str], subprocess.Popen[str]]
) -> None:
    owner = python(START_AND_WAIT)
    assert owner.stdout is not None
    owner.stdout.readline()
    pids = [int(pid) for pid in json.loads((home / "processes.json").read_text())]
    for pid in [owner.pid, *pids]:
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    stack = Stack(home, environ={}, careless=True)
    try:
        with psycopg.connect(stack.start()["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        stack.stop()


def test_an_orphaned_postgresql_is_ended_and_a_strangers_process_is_not(home: Path) -> None:
    stack = Stack(home, environ={}, careless=True)
    environ = stack.start()
    pid_file = next(home.glob("postgresql/data/postmaster.pid"))
    orphan = int(pid_file.read_text().splitlines()[0])
    # As after a crash that also lost our list of processes and our lock.
    (home / "processes.json").unlink()
    assert stack._postgres is not None
    stack._postgres.release()
    after = Stack(home, environ={}, careless=True)
    after.start()
    assert born_at(orphan) is None
    assert not accepts(ports_of(environ)[0])
    after.stop()
    stack.stop()

    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1\n5432\n\n127.0.0.1\n\nready\n")
        again = Stack(home, environ={}, careless=True)
        again.start()
        again.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_a_cluster_that_was_begun_and_not_finished_is_made_anew(home: Path) -> None:
    stack = Stack(home, environ={"REDIS_URL": "redis://b", "DO_SPACES_ENDPOINT": "https://d"}, careless=True)
    stack.start()
    stack.stop()
    place = home / "postgresql"
    (place / "data").rename(place / "data.new")
    (place / "admitted").unlink()
    try:
        with psycopg.connect(stack.start()["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT rolcreatedb, rolsuper FROM pg_roles WHERE rolname = current_user")
            assert row.fetchone() == (True, False)
            encoding = connection.execute("SELECT current_setting('server_encoding'), datlocprovider FROM pg_database")
            assert encoding.fetchone() == ("UTF8", "b")
    finally:
        stack.stop()


def test_valkey_ends_when_asked_though_it_can_write_nothing_any_more(home: Path) -> None:
    stack = Stack(home, environ={"DATABASE_URL": "postgresql://a@b/c", "DO_SPACES_ENDPOINT": "https://d"})
    with redis.Redis.from_url(stack.start()["REDIS_URL"]) as cache:
        cache.set("changed", "since the last snapshot")
    shutil.rmtree(home / "valkey")
    ((_, part),) = stack._running
    part.ask_to_stop()
    deadline = time.monotonic() + 8
    while part.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    ended_by_itself = not part.is_running
    stack.stop()
    assert ended_by_itself


def test_two_stacks_never_share_a_database(home: Path) -> None:
    alone = {"REDIS_URL": "redis://b", "DO_SPACES_ENDPOINT": "https://d"}
    stack = Stack(home, environ=alone, careless=True)
    stack.start()
    try:
        with pytest.raises(StackError, match="in use by another"):
            Stack(home, environ=alone, careless=True)._servers()[0].prepare()
    finally:
        stack.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another user")
def test_below_a_closed_folder_the_database_lies_elsewhere(outside_reach: Path) -> None:
    alone = {"REDIS_URL": "redis://b", "DO_SPACES_ENDPOINT": "https://d"}
    stack = Stack(outside_reach, environ=alone, careless=True)
    with psycopg.connect(stack.start()["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    stack.stop()
    place = Path(json.loads((outside_reach / "postgresql.json").read_text())["place"])
    assert outside_reach not in place.parents
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert place.stat().st_uid != 0
    with psycopg.connect(stack.start()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    stack.stop()
