"""The names the settings read, held against every document that lists them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

import chatvista.serving  # noqa: F401  gunicorn's variables are declared on import
from chatvista.settings.environment import CHECKOUT, READER

NAMES = frozenset(READER.declared)
# Read outside the settings: by the one-machine stack, by the test-suite, by the Dockerfile.
ELSEWHERE = {"CHATVISTA_HOME", "CHATVISTA_EMBEDDED", "CHATVISTA_TEST_SPACES", "CHATVISTA_EXTRAS"}


def app_spec() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((CHECKOUT / ".do/app.yaml").read_text())
    return spec


def test_the_guide_explains_exactly_the_variables_that_are_read() -> None:
    explained = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", (CHECKOUT / "docs/environment.md").read_text(), re.MULTILINE))
    assert explained == NAMES | ELSEWHERE


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_guide_gives_the_default_that_is_in_force(name: str) -> None:
    declared = READER.declared[name]
    default = "**required**" if declared.required else f"`{declared.default}`" if declared.default else "(empty)"
    assert f"| `{name}` | {default} | {declared.meaning} |" in (CHECKOUT / "docs/environment.md").read_text()


def test_the_template_lists_exactly_the_variables_that_are_read() -> None:
    listed = re.findall(r"^#? ?([A-Z_0-9]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(NAMES)


def test_the_app_spec_sets_exactly_the_variables_that_are_read() -> None:
    spec = app_spec()
    listed = {env["key"] for env in spec["envs"]}
    for component in [*spec["services"], *spec["workers"], *spec["jobs"]]:
        listed |= {env["key"] for env in component.get("envs", [])}
    assert listed == NAMES | {"CHATVISTA_EXTRAS"}


def test_every_secret_in_the_app_spec_is_a_secret_without_a_value() -> None:
    secrets = {name for name in NAMES if re.search(r"SECRET|PASSWORD|API_KEY|ACCESS_KEY|ENCRYPTION|SIGNING", name)}
    envs = {env["key"]: env for env in app_spec()["envs"]}
    for name in secrets:
        assert envs[name].get("type") == "SECRET", name
        assert "value" not in envs[name], name


def test_nothing_reads_the_environment_behind_the_readers_back() -> None:
    allowed = {
        "chatvista/settings/environment.py",
        "chatvista/settings/test.py",
        "chatvista/wsgi.py",
        "chatvista/celery.py",
    }
    for folder in ("chatvista", "accounts", "meetings", "storage_sync", "backups"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            name = str(path.relative_to(CHECKOUT))
            if name in allowed or name.startswith("chatvista/embedded/"):
                continue
            assert not re.search(r"os\.environ|os\.getenv", path.read_text()), name
