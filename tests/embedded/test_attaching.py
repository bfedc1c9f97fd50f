"""Commands beside a stack: they use the one that runs, share one that a command started, or start their own."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatvista.embedded.attaching import attached, publish
from chatvista.embedded.claiming import Claim
from chatvista.embedded.home import Home
from chatvista.embedded.keyring import APPLICATION
from chatvista.embedded.servers import accepts
from chatvista.embedded.surroundings import with_dotenv

# SIGINT as in a shell's foreground: whoever runs the suite in the background has it ignored.
COMMAND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from urllib.parse import urlsplit
from chatvista.embedded.attaching import attached
with attached(["manage.py", "work"]):
    print(urlsplit(os.environ["DATABASE_URL"]).port, flush=True)
    line = sys.stdin.readline()
    if line == "fail\\n":
        raise RuntimeError("as asked")
"""
Starter = Callable[[str], "subprocess.Popen[str]"]


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_a_command_alone_has_servers_for_its_own_length(home: Path, python: Starter) -> None:
    process = python(COMMAND)
    port = port_of(process)
    assert accepts(port)
    assert stat.S_IMODE((home / "stack.json").stat().st_mode) == 0o600
    tell(process, "")
    assert process.wait(30) == 0
    assert not accepts(port)
    assert not (home / "stack.json").exists()


@pytest.mark.parametrize(
    ("ending", "code"), [("fail", 1), (signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT), (signal.SIGHUP, 129)]
)
def test_the_servers_stop_however_the_command_ends(python: Starter, ending: str | signal.Signals, code: int) -> None:
    process = python(COMMAND)
    port = port_of(process)
    if isinstance(ending, str):
        tell(process, ending)
    else:
        process.send_signal(ending)
    assert process.wait(30) == code
    assert not accepts(port)


def test_two_commands_share_one_stack_and_the_first_waits_for_the_second(python: Starter) -> None:
    first, second = python(COMMAND), python(COMMAND)
    port = port_of(first)
    assert port_of(second) == port
    owner, user = (first, second) if _owns(first) else (second, first)
    tell(owner, "")
    time.sleep(0.5)
    assert owner.poll() is None
    assert accepts(port)
    tell(user, "")
    assert user.wait(30) == 0
    assert owner.wait(30) == 0
    assert not accepts(port)


def _owns(process: subprocess.Popen[str]) -> bool:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return bool(children)


def test_a_command_uses_the_running_stack_and_leaves_it_running(home: Path, bare: dict[str, str]) -> None:
    with Claim(Home(home)) as claim:
        assert claim.attempt()
        assert claim.is_owner
        publish(Home(home), kind="run", variables={"DATABASE_URL": "postgresql://run", "REDIS_URL": "redis://run"})
        claim.open()
        environ = {**bare, "CHATVISTA_HOME": str(home), "REDIS_URL": "redis://caller"}
        with attached(["manage.py", "work"], environ=environ):
            assert environ["DATABASE_URL"] == "postgresql://run"
            assert environ["REDIS_URL"] == "redis://caller"
            assert not claim.close_to_users(patience=0)
        assert (home / "stack.json").exists()
        assert claim.close_to_users(patience=0)


def test_what_a_killed_owner_wrote_down_misleads_nobody(home: Path, python: Starter) -> None:
    owner = python(COMMAND)
    old = port_of(owner)
    owner.kill()
    owner.wait()
    assert (home / "stack.json").exists()
    process = python(COMMAND)
    new = port_of(process)
    assert new != old
    assert accepts(new)
    tell(process, "")
    assert process.wait(30) == 0


def test_a_claim_is_refused_while_a_stack_starts_and_shared_when_it_runs(home: Path) -> None:
    with Claim(Home(home)) as owner, Claim(Home(home)) as other, Claim(Home(home)) as third:
        assert owner.attempt()
        assert owner.is_owner
        assert not other.attempt()
        owner.open()
        assert other.attempt()
        assert third.attempt()
        assert other.is_user
        assert third.is_user
        assert not owner.close_to_users(patience=0.1)
        other.leave()
        third.leave()
        assert owner.close_to_users(patience=0)
        assert not other.attempt()


def test_users_of_a_dead_owner_keep_nobody_from_waiting_for_them(home: Path) -> None:
    with Claim(Home(home)) as user:
        with Claim(Home(home)) as owner:
            assert owner.attempt()
            owner.open()
            assert user.attempt()
        with Claim(Home(home)) as heir:
            assert not heir.attempt()
            user.leave()
            assert heir.attempt()
            assert heir.is_owner


@pytest.mark.parametrize("argv", [["manage.py"], ["manage.py", "help"], ["manage.py", "work", "--help"]])
def test_help_starts_nothing_and_can_load_the_settings(argv: list[str], home: Path, bare: dict[str, str]) -> None:
    environ = {**bare, "CHATVISTA_HOME": str(home), "SIGNING_KEY": "the caller's"}
    with attached(argv, environ=environ):
        assert environ["SIGNING_KEY"] == "the caller's"
        assert set(APPLICATION) < set(environ)
    assert not home.exists()


@pytest.mark.parametrize(
    "theirs",
    [
        {"DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://b", "DO_SPACES_ENDPOINT": "https://d"},
        {"CHATVISTA_EMBEDDED": "off"},
    ],
)
def test_a_caller_with_servers_of_its_own_is_left_alone(
    theirs: dict[str, str], home: Path, bare: dict[str, str]
) -> None:
    environ = {**bare, "CHATVISTA_HOME": str(home), **theirs}
    before = dict(environ)
    with attached(["manage.py", "work"], environ=environ):
        assert environ == before
    assert not home.exists()


def test_a_dotenv_file_counts_as_the_callers_word(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# comment\nDATABASE_URL=postgresql://file\nexport REDIS_URL='redis://file#1'\nLOG_FORMAT=json\nEMPTY=\n"
    )
    found = with_dotenv({"DATABASE_URL": "postgresql://shell", "LOG_FORMAT": ""}, checkout=tmp_path)
    assert found["DATABASE_URL"] == "postgresql://shell"
    assert found["REDIS_URL"] == "redis://file#1"
    assert found["LOG_FORMAT"] == "json"
    assert "REDIS_URL" not in os.environ or os.environ["REDIS_URL"] != "redis://file#1"


def test_what_commands_share_is_no_more_than_they_need(home: Path) -> None:
    Home(home).prepare()
    publish(Home(home), kind="run", variables={"DATABASE_URL": "a", "PATH": "/bin", "OPENAI_API_KEY": "sk-secret"})
    assert json.loads((home / "stack.json").read_text())["variables"] == {"DATABASE_URL": "a"}
