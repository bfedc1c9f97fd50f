"""Rules of the platform that no schema of the app spec has."""

from __future__ import annotations

import re
from typing import Any

import yaml

from chatvista.settings.environment import CHECKOUT


def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHECKOUT / ".do/app.yaml").read_text())
    return loaded


def components() -> list[dict[str, Any]]:
    return [*spec()["services"], *spec()["workers"], *spec()["jobs"]]


def test_the_schema_is_migrated_before_each_deploy() -> None:
    jobs = [job for job in spec()["jobs"] if job["kind"] == "PRE_DEPLOY"]
    assert [job["run_command"] for job in jobs] == ["python manage.py migrate --noinput"]


def test_the_queue_is_valkey_since_redis_can_no_longer_be_created() -> None:
    assert {database["engine"] for database in spec()["databases"]} == {"PG", "VALKEY"}
    assert all(database["production"] and database["cluster_name"] for database in spec()["databases"])


def test_there_is_exactly_one_beat() -> None:
    beats = [worker for worker in spec()["workers"] if " beat" in worker["run_command"]]
    assert [beat["instance_count"] for beat in beats] == [1]


def test_every_binding_names_a_component_that_exists() -> None:
    known = {database["name"] for database in spec()["databases"]}
    for name in re.findall(r"\$\{([a-z_]+)\.", (CHECKOUT / ".do/app.yaml").read_text()):
        assert name in known


def test_every_address_leads_to_the_web_service_with_its_prefix() -> None:
    for rule in spec()["ingress"]["rules"]:
        assert rule["component"] == {"name": "web", "preserve_path_prefix": True}


def test_liveness_asks_the_process_alone() -> None:
    web = spec()["services"][0]
    assert web["liveness_health_check"]["http_path"] == "/health/live"
    assert web["health_check"]["http_path"] == "/health/ready"


def test_shutdown_has_the_time_it_needs_within_the_platforms_bounds() -> None:
    web = spec()["services"][0]
    assert web["termination"]["drain_seconds"] <= 110
    assert all(part.get("termination", {}).get("grace_period_seconds", 120) <= 600 for part in components())


def test_the_same_commands_are_in_the_procfile() -> None:
    procfile = dict(line.split(": ", 1) for line in (CHECKOUT / "Procfile").read_text().splitlines())
    commands = {part["name"]: part["run_command"] for part in components()}
    assert procfile["web"] == commands["web"]
    assert commands["worker"].startswith(procfile["worker"])
    assert commands["beat"].startswith(procfile["beat"])
    assert procfile["release"] == commands["migrate"]


def test_no_web_thread_waits_for_a_connection() -> None:
    envs = {env["key"]: env.get("value") for env in spec()["envs"]}
    web = {env["key"]: env["value"] for env in spec()["services"][0]["envs"]}
    pool = int(str(envs["DATABASE_POOL_SIZE"]))
    assert int(web["WEB_THREADS"]) < pool
