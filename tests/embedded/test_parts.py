"""Web, worker and beat: started again when they die, left away when asked to stop; their logs and their port."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from chatvista.embedded.failing import StackError
from chatvista.embedded.home import Home
from chatvista.embedded.keeping import Part
from chatvista.embedded.keyring import APPLICATION
from chatvista.embedded.ledger import Ledger
from chatvista.embedded.ports import chosen_port
from chatvista.embedded.preparing import is_prepared, note_prepared
from chatvista.embedded.processes import Child, Program, born_at, bound_log, last_lines
from chatvista.embedded.surroundings import with_placeholders


def program(text: str, *, home: Home) -> Program:
    home.prepare()
    log = home.logs / "part.log"
    return Program(name="part", command=[sys.executable, "-c", text], environ={}, folder=home.path, log=log)


def watch(part: Part, *, until_deaths: int) -> None:
    deadline = time.monotonic() + 20
    while part.deaths < until_deaths and time.monotonic() < deadline:
        part.look()
        time.sleep(0.02)


def test_a_part_that_dies_is_started_again_after_a_growing_pause(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = Part(
        program("import sys; print('born', flush=True); sys.exit(3)", home=Home(home)), ledger=Ledger(Home(home))
    )
    part.start()
    watch(part, until_deaths=2)
    told = capsys.readouterr().out
    assert "part ended (exit code 3); starting it again in 1 s" in told
    assert "in 2 s" in told
    assert last_lines(home / "logs" / "part.log").splitlines() == ["born", "born"]
    assert not part.is_running
    part.end()


def test_a_part_that_may_not_die_often_is_given_up_with_its_last_words(home: Path) -> None:
    text = "import sys; print('no room left', flush=True); sys.exit(3)"
    part = Part(program(text, home=Home(home)), ledger=Ledger(Home(home)), most_deaths=3)
    part.start()
    with pytest.raises(
        StackError, match=r"part ended \(exit code 3\), 3 times in quick succession\. [^\0]*no room left"
    ):
        watch(part, until_deaths=4)
    part.end()
    assert Home(home).read("processes.json") == {}


def test_a_part_that_was_asked_to_stop_stays_away(home: Path) -> None:
    part = Part(program("import time; time.sleep(60)", home=Home(home)), ledger=Ledger(Home(home)))
    part.start()
    part.ask_to_stop()
    deadline = time.monotonic() + 10
    while part.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    part.end()
    part.look()
    assert not part.is_running
    assert Home(home).read("processes.json") == {}


def test_what_a_dead_part_has_started_ends_with_it(home: Path) -> None:
    text = "import os, subprocess as s; print(s.Popen(['sleep', '60']).pid, flush=True); os.kill(os.getpid(), 9)"
    part = Part(program(text, home=Home(home)), ledger=Ledger(Home(home)))
    part.start()
    watch(part, until_deaths=1)
    (grandchild,) = last_lines(home / "logs" / "part.log").splitlines()
    deadline = time.monotonic() + 5
    while born_at(int(grandchild)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert born_at(int(grandchild)) is None
    part.end()


def test_a_child_that_does_not_listen_is_ended_by_force(home: Path) -> None:
    text = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = Child(program(text, home=Home(home)))
    while not last_lines(home / "logs" / "part.log"):
        time.sleep(0.02)
    child.ask_to_stop()
    assert not child.finish(patience=0.2)
    assert child.exit_code == -signal.SIGKILL


def test_a_log_is_bounded_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * (5 * 1024 * 1024))
        bound_log(log)
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "part.log.1").stat().st_size == 5 * 1024 * 1024


def test_a_taken_port_is_named_and_a_demo_moves_away_from_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(StackError, match=rf"Port {port} is taken .*PORT=8001"):
            chosen_port({"PORT": port}, may_move=True)


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "٣"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(StackError, match="PORT"):
        chosen_port({"PORT": port}, may_move=False)


def test_a_database_counts_as_prepared_for_the_same_code_only(home: Path) -> None:
    Home(home).prepare()
    ours = {"DATABASE_URL": "postgresql://chatvista:secret@127.0.0.1:1111/chatvista"}
    assert not is_prepared(home=Home(home), environ=ours)
    note_prepared(home=Home(home), environ=ours)
    moved = {"DATABASE_URL": "postgresql://chatvista:secret@127.0.0.1:2222/chatvista"}
    assert is_prepared(home=Home(home), environ=moved)
    theirs = {"DATABASE_URL": "postgresql://chatvista:secret@db.example.org:1111/chatvista"}
    assert not is_prepared(home=Home(home), environ=theirs)


def test_placeholders_never_replace_what_is_set() -> None:
    filled = with_placeholders({"DATABASE_URL": "postgresql://mine", "REDIS_URL": ""})
    assert filled["DATABASE_URL"] == "postgresql://mine"
    assert filled["REDIS_URL"]
    assert len({filled[name] for name in APPLICATION}) == len(APPLICATION)


def test_a_child_that_somebody_paused_still_hears_that_it_shall_stop(home: Path) -> None:
    child = Child(program("print('here', flush=True); import time; time.sleep(60)", home=Home(home)))
    while not last_lines(home / "logs" / "part.log"):
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGSTOP)
    child.ask_to_stop()
    assert child.finish(patience=10)
    assert child.exit_code == -signal.SIGTERM
