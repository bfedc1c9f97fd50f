"""What the service says of its own health, in each state of each dependency."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from chatvista import health
from storage_sync.reporting import probing

WELL = {
    "status": "healthy",
    "database": "connected",
    "redis": "connected",
    "storage": {"local": "available", "cloud": "connected"},
    "version": "1.0.0",
}


@pytest.fixture(autouse=True)
def asked_afresh() -> Iterator[None]:
    probing.forget()
    yield
    probing.forget()


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.listen(64)
        taken: list[socket.socket] = []
        stop = threading.Event()
        server.settimeout(0.1)

        def take() -> None:
            while not stop.is_set():
                try:
                    taken.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=take)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        thread.join()
        for one in taken:
            one.close()


def ask(path: str = "/health", **headers: Any) -> tuple[int, dict[str, Any], float]:
    began = time.monotonic()
    response = Client().get(path, headers=headers)
    return response.status_code, response.json(), time.monotonic() - began


def usual_wait() -> float:
    """The median of three answers: one stall of a busy test machine is not the service's."""
    return statistics.median(ask()[2] for _ in range(3))


@pytest.mark.django_db(transaction=True)
def test_when_all_is_well_it_answers_exactly_the_contract(storeroom: Path) -> None:
    status, body, _ = ask()
    assert (status, body) == (200, WELL)
    assert list(body) == list(WELL)


@pytest.mark.django_db(transaction=True)
def test_a_prober_needs_no_known_host_name_and_no_https(storeroom: Path, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["chatvista.example.org"]
    for path in ("/health", "/health/live", "/health/ready"):
        assert ask(path, host="10.244.0.7:8080")[0] == 200, path


@pytest.mark.django_db(transaction=True)
def test_a_closed_space_is_a_degraded_service(storeroom: Path, settings: Any) -> None:
    settings.SPACES_ENDPOINT = "http://127.0.0.1:1"
    status, body, _ = ask()
    assert (status, body["status"], body["storage"]["cloud"]) == (200, "degraded", "disconnected")
    assert usual_wait() < 2


@pytest.mark.django_db(transaction=True)
def test_a_hanging_space_delays_the_answer_by_less_than_two_seconds(
    storeroom: Path, settings: Any, hanging_port: int
) -> None:
    settings.SPACES_ENDPOINT = f"http://127.0.0.1:{hanging_port}"
    for _ in range(3):
        status, body, _ = ask()
        assert (status, body["status"], body["storage"]["cloud"]) == (200, "degraded", "disconnected")
    assert usual_wait() < 2


@pytest.mark.django_db(transaction=True)
def test_no_space_is_no_fault(storeroom: Path, settings: Any) -> None:
    settings.SPACES_ENDPOINT = ""
    status, body, _ = ask()
    assert (status, body["status"], body["storage"]["cloud"]) == (200, "healthy", "not_configured")


@pytest.mark.django_db(transaction=True)
def test_a_disk_that_cannot_be_written_is_a_degraded_service(storeroom: Path, settings: Any) -> None:
    blocked = storeroom.parent / "file"
    blocked.write_text("no folder")
    settings.STORAGE_PATH = blocked / "storage"
    status, body, _ = ask()
    assert (status, body["status"], body["storage"]["local"]) == (200, "degraded", "unavailable")


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_service_is_degraded(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(alias: str) -> Any:
        raise ConnectionError("refused")

    monkeypatch.setattr(health, "get_redis_connection", away)
    status, body, _ = ask()
    assert (status, body["status"], body["redis"]) == (200, "degraded", "disconnected")


@pytest.mark.django_db(transaction=True)
def test_without_the_database_it_is_unhealthy(storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang() -> str:
        time.sleep(3)
        return "connected"

    monkeypatch.setattr(health, "_database_state", hang)
    status, body, _ = ask()
    assert (status, body["status"], body["database"]) == (503, "unhealthy", "disconnected")
    assert usual_wait() < 2


def test_a_live_process_says_so_without_asking_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any) -> str:
        raise AssertionError("liveness asked a dependency")

    monkeypatch.setattr(health, "_within_deadline", forbidden)
    assert ask("/health/live")[:2] == (200, {"status": "alive"})


@pytest.mark.django_db(transaction=True)
def test_ready_means_every_migration_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("/health/ready")[:2] == (200, {"status": "ready", "schema": "current"})
    monkeypatch.setattr("chatvista.health.MigrationExecutor.migration_plan", lambda *_: [("one", False)])
    status, body, _ = ask("/health/ready")
    assert (status, body["status"]) == (503, "not_ready")


@pytest.mark.django_db(transaction=True)
def test_probing_leaves_no_connection_behind(storeroom: Path) -> None:
    ask()
    pool = getattr(connections["default"], "pool", None)
    for _ in range(10):
        ask()
    if pool is not None:
        stats = pool.get_stats()
        assert stats.get("pool_size", 0) - stats.get("pool_available", 0) <= 1


def test_other_methods_are_refused() -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        response = Client().post(path)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
