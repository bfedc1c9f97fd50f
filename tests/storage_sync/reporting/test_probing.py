"""Probes answer in time whatever hangs, and the truth again as soon as it changes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from storage_sync.reporting import probing


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_both_sides_answer(storeroom: Path) -> None:
    assert (probing.local_state(), probing.cloud_state()) == ("available", "connected")
    assert not list((storeroom / "temp").iterdir())


def test_without_a_space_there_is_nothing_to_ask(storeroom: Path, settings: Settings) -> None:
    settings.SPACES_ENDPOINT = ""
    assert probing.cloud_state() == "not_configured"


def test_a_closed_port_a_wrong_key_and_a_missing_bucket_are_disconnected(storeroom: Path, settings: Settings) -> None:
    for name, value in (
        ("SPACES_ENDPOINT", "http://127.0.0.1:9"),
        ("SPACES_SECRET_KEY", "wrong"),
        ("SPACES_BUCKET", "no-such-bucket"),
    ):
        right = getattr(settings, name)
        setattr(settings, name, value)
        assert probing.cloud_state() == "disconnected"
        setattr(settings, name, right)
    assert probing.cloud_state() == "connected"


def test_a_cloud_that_hangs_is_disconnected_in_time(storeroom: Path, settings: Settings, hanging_port: int) -> None:
    settings.SPACES_ENDPOINT = f"http://127.0.0.1:{hanging_port}"
    began = time.monotonic()
    assert probing.cloud_state() == "disconnected"
    assert time.monotonic() - began < 5, "the server never answers, and its own patience is 20 s"


def test_a_folder_that_cannot_be_written_is_unavailable(storeroom: Path, settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("x")
    settings.STORAGE_PATH = blocked
    assert probing.local_state() == "unavailable"
    settings.STORAGE_PATH = storeroom
    probing.forget()
    assert probing.local_state() == "available"


def test_an_answer_is_remembered_for_two_seconds_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    is_well = True

    def question() -> bool:
        asked.append(is_well)
        return is_well

    probe = probing.Probe(question)
    assert [probe.ask(), probe.ask()] == [True, True]
    is_well = False
    assert probe.ask() is True
    monkeypatch.setattr(probing, "REMEMBERED_SECONDS", 0.0)
    assert probe.ask() is False
    assert asked == [True, False]


def test_only_one_thread_is_ever_stuck_and_the_answer_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(probing, "REMEMBERED_SECONDS", 0.0)
    let_go, stuck = threading.Event(), []

    def question() -> bool:
        stuck.append(threading.current_thread())
        return let_go.wait(10)

    probe = probing.Probe(question)
    assert [probe.ask() for _ in range(3)] == [False, False, False]
    assert len(stuck) == 1
    let_go.set()
    stuck[0].join()
    assert probe.ask() is True


def test_a_question_that_fails_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise ConnectionRefusedError

    assert probing.Probe(fail).ask() is False
