"""Whether the service is well: `/health` answers within two seconds whatever hangs; the platform probes the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import structlog
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django_redis import get_redis_connection

from chatvista import __version__
from chatvista.foundation.envelope import answer
from chatvista.foundation.problems import Problem
from storage_sync.presence import keeping
from storage_sync.reporting import probing

logger = structlog.get_logger(__name__)

DEADLINE_SECONDS = 1.4


class HealthMiddleware:
    """Answers the probes before anything that could stand in their way.

    A platform's prober speaks plain HTTP and names the container's address as host: the host check and the redirect
    to HTTPS would turn it away, and sessions or request logs mean nothing to it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve a probe, or pass the request on."""
        probe = PROBES.get(request.path)
        if probe is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return answer(Problem("method_not_allowed", "Health is only asked for, by GET.", status=405))
        return probe(request)


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """The state of every dependency: 200 `healthy` or `degraded`, 503 `unhealthy` when the database is away."""
    answers = _within_deadline(
        {
            "database": (_database_state, "disconnected"),
            "redis": (_redis_state, "disconnected"),
            "local": (probing.local_state, "unavailable"),
            "cloud": (probing.cloud_state, "disconnected"),
        }
    )
    well = answers["redis"] == "connected" and answers["local"] == "available" and answers["cloud"] != "disconnected"
    status = "unhealthy" if answers["database"] != "connected" else "healthy" if well else "degraded"
    return JsonResponse(
        {
            "status": status,
            "database": answers["database"],
            "redis": answers["redis"],
            "storage": {"local": answers["local"], "cloud": answers["cloud"]},
            "version": __version__,
        },
        status=503 if status == "unhealthy" else 200,
    )


@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """This process answers. Nothing else is asked: an outage elsewhere must not replace every container."""
    return JsonResponse({"status": "alive"})


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """This process can serve: the database answers, has every migration of this version, and knows us by our name."""
    if keeping.is_refused():
        # Two machines with one name would write one's copies down as the other's.
        return JsonResponse({"status": "not_ready", "node": "its name is taken: set CHATVISTA_NODE"}, status=503)
    state = _within_deadline({"schema": (_schema_state, "database disconnected")})["schema"]
    return JsonResponse(
        {"status": "ready" if state == "current" else "not_ready", "schema": state},
        status=200 if state == "current" else 503,
    )


PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/health": health,
    "/health/live": live,
    "/health/ready": ready,
}


def _within_deadline(probes: dict[str, tuple[Callable[[], str], str]]) -> dict[str, str]:
    """Ask every probe in a thread of its own; one that does not answer in time counts as the worst.

    Daemon threads, not an executor: a probe stuck in the kernel must hold up neither the answer nor a shutdown.
    """
    asked = {name: _ask(probe) for name, (probe, _) in probes.items()}
    deadline = threading.Event()
    timer = threading.Timer(DEADLINE_SECONDS, deadline.set)
    timer.daemon = True
    timer.start()
    answers: dict[str, str] = {}
    for name, future in asked.items():
        worst = probes[name][1]
        while not future.done() and not deadline.is_set():
            deadline.wait(0.005)
        answers[name] = future.result() if future.done() and future.exception() is None else worst
    timer.cancel()
    return answers


def _ask(probe: Callable[[], str]) -> Future[str]:
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(probe())
        except Exception as error:  # noqa: BLE001  any failure of a probe is its answer
            logger.warning("health_probe_failed", probe=probe.__name__, error=str(error))
            future.set_exception(error)
        finally:
            connections.close_all()

    threading.Thread(target=run, name=f"health-{probe.__name__}", daemon=True).start()
    return future


def _database_state() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "connected"


def _redis_state() -> str:
    client: Any = get_redis_connection("default")
    return "connected" if client.ping() else "disconnected"


def _schema_state() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "current" if not pending else f"{len(pending)} migrations are missing"
