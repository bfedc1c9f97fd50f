"""The readers of the environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatvista.settings.environment import CHECKOUT, EnvironmentReader

GOOD = {
    "DATABASE_URL": "postgresql://u:p@127.0.0.1:5432/d",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "JWT_SECRET": "a" * 40,
    "JWT_REFRESH_SECRET": "b" * 40,
    "SESSION_SECRET": "c" * 40,
    "ENCRYPTION_KEY": "1" * 64,
    "SIGNING_KEY": "2" * 64,
    "DO_SPACES_ENDPOINT": "https://fra1.digitaloceanspaces.com",
    "DO_SPACES_REGION": "fra1",
    "DO_SPACES_BUCKET": "meetings",
    "DO_SPACES_ACCESS_KEY": "key",
    "DO_SPACES_SECRET_KEY": "secret",
}


def load_settings(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process of its own with exactly these variables."""
    return subprocess.run(
        [sys.executable, "-c", "import chatvista.settings as s; print(s.DATABASES['default']['NAME'])"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_complete_environment_boots() -> None:
    done = load_settings(GOOD)
    assert (done.returncode, done.stdout.strip()) == (0, "d"), done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "JWT_REFRESH_SECRET",
        "SESSION_SECRET",
        "ENCRYPTION_KEY",
        "SIGNING_KEY",
    ],
)
def test_a_missing_variable_stops_the_boot_by_name_with_its_cure(name: str) -> None:
    done = load_settings({k: v for k, v in GOOD.items() if k != name})
    assert done.returncode != 0
    assert f"{name} is not set. " in done.stderr
    assert "docs/environment.md" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("JWT_SECRET", "short", "shorter than 32"),
        ("JWT_SECRET", "change-me-change-me-change-me-change-me", "example value"),
        ("ENCRYPTION_KEY", "z" * 64, "64 hexadecimal digits"),
        ("SIGNING_KEY", "1" * 63, "64 hexadecimal digits"),
        ("ENCRYPTION_KEY_PREVIOUS", f"{'3' * 64},short", "64 hexadecimal digits"),
        ("SIGNING_KEY_PREVIOUS", "no key", "64 hexadecimal digits"),
        ("DATABASE_URL", "mysql://u@h/d", "postgres"),
        ("REDIS_URL", "127.0.0.1:6379", "redis://"),
        ("REDIS_URL", "redis://h:notaport/0", "redis://"),
        ("CORS_ORIGINS", "*", "not an origin"),
        ("CORS_ORIGINS", "app.example.org", "not an origin"),
        ("MAX_BODY_BYTES", "lots", "not a whole number"),
        ("MAX_BODY_BYTES", "-1", "outside"),
        ("CHATVISTA_DISK_DURABLE", "perhaps", "not true or false"),
        ("LOG_FORMAT", "xml", "not one of"),
        ("DO_SPACES_BUCKET", "No/Such", "does not look like"),
    ],
)
def test_a_malformed_variable_stops_the_boot_by_name(name: str, value: str, says: str) -> None:
    done = load_settings({**GOOD, name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert says in done.stderr


def test_a_space_configured_in_part_stops_the_boot() -> None:
    done = load_settings({k: v for k, v in GOOD.items() if k != "DO_SPACES_SECRET_KEY"})
    assert done.returncode != 0
    assert "DO_SPACES_SECRET_KEY is not set" in done.stderr


def test_no_space_and_no_durable_disk_stops_the_boot() -> None:
    without = {k: v for k, v in GOOD.items() if not k.startswith("DO_SPACES")}
    assert "CHATVISTA_DISK_DURABLE" in load_settings(without).stderr
    assert load_settings({**without, "CHATVISTA_DISK_DURABLE": "true"}).returncode == 0


def test_equal_secrets_stop_the_boot() -> None:
    done = load_settings({**GOOD, "JWT_REFRESH_SECRET": GOOD["JWT_SECRET"]})
    assert done.returncode != 0
    assert "not distinct" in done.stderr


def test_every_fault_is_named_at_once() -> None:
    done = load_settings({})
    for name in ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "SESSION_SECRET", "ENCRYPTION_KEY"):
        assert f"{name} is not set" in done.stderr


def test_a_secret_is_never_printed_in_a_fault() -> None:
    done = load_settings({**GOOD, "ENCRYPTION_KEY": "deadbeef-not-a-key"})
    assert "deadbeef" not in done.stderr


def test_the_reader_collects_and_then_stops() -> None:
    reader = EnvironmentReader({"N": "x"})
    assert reader.integer("N", "a number", default=5) == 5
    with pytest.raises(ImproperlyConfigured, match="N is 'x', not a whole number"):
        reader.stop_if_faulty()
