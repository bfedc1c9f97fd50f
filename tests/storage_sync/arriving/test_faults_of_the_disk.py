"""A local name is absent or complete, whichever call fails and with whatever (guarantee G3)."""

from __future__ import annotations

import datetime as dt
import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from chatvista.foundation.problems import Problem, TransientError
from storage_sync.arriving.intake import SYNC_EVERY
from storage_sync.arriving.receiving import Intake
from storage_sync.models import StoredFile
from storage_sync.sides.local import local
from tests.fakes.small_disks import small_disk_at
from tests.journeys.houses import MIB, eventually
from tests.storage_sync.making import names_below, on_disk, space, store

KEY = "recordings/2026/11/one/first.bin"
CALLS = ["fsync", "link", "open"]


def failing(number: int) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture(params=[errno.EIO, errno.ENOSPC, errno.EDQUOT], ids=["EIO", "ENOSPC", "EDQUOT"])
def number(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.mark.parametrize("call", CALLS)
def test_a_put_that_fails_leaves_no_name(
    call: str, number: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local().lay_out()
    with monkeypatch.context() as broken:
        broken.setattr(f"storage_sync.sides.local.os.{call}", failing(number))
        with pytest.raises(TransientError):
            local().put(key=KEY, source=io.BytesIO(b"x" * 1000), size=1000, content_type="a/b")
    assert names_below(storeroom) == []


def test_a_write_that_fails_half_way_leaves_no_name(
    number: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 500_000:
                raise OSError(number, os.strerror(number))
            return super().read(size)

    with pytest.raises(TransientError):
        local().put(key=KEY, source=Broken(bytes(10**6)), size=10**6, content_type="a/b")
    assert names_below(storeroom) == []


@pytest.mark.django_db
@pytest.mark.parametrize("call", ["fsync", "link"])
def test_receiving_says_whether_the_disk_is_full_or_failing(
    call: str, number: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local().lay_out()
    with monkeypatch.context() as broken:
        broken.setattr(f"storage_sync.sides.local.os.{call}", failing(number))
        with pytest.raises(Problem) as caught:
            store()
    assert (caught.value.code, caught.value.status) == (
        ("storage_unavailable", 503) if number == errno.EIO else ("disk_full", 507)
    )
    assert caught.value.retry_after
    assert names_below(storeroom) == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db
def test_a_body_too_large_for_the_disk_is_507_while_it_comes(
    number: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Intake(category="recordings", largest=10**9) as intake:
        intake.write(b"fine")
        broken: Any = Refusing(number, intake._sink)
        monkeypatch.setattr(intake, "_sink", broken)
        with pytest.raises(Problem) as caught:
            intake.write(b"not fine")
    assert caught.value.status == (503 if number == errno.EIO else 507)
    assert names_below(storeroom) == []


@pytest.mark.django_db
@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_what_the_disk_did_not_take_while_the_rest_came_is_not_acknowledged(
    call: str, number: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"storage_sync.arriving.intake.os.{call}", failing(number))
    with Intake(category="recordings", largest=10**9) as intake:
        with pytest.raises(Problem) as caught:
            fill(intake, 2 * SYNC_EVERY)
        assert caught.value.status == (503 if number == errno.EIO else 507)
    assert names_below(storeroom) == []


@pytest.mark.django_db
def test_a_close_that_fails_is_not_acknowledged(number: int, storeroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Intake(category="recordings", largest=10**9) as intake:
        intake.write(b"fine")
        broken: Any = Unclosable(number, intake._sink)
        monkeypatch.setattr(intake, "_sink", broken)
        with pytest.raises(Problem) as caught:
            intake.land()
        assert caught.value.status == (503 if number == errno.EIO else 507)
    assert names_below(storeroom) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    with small_disk_at(tmp_path / "small", mib=48) as folder:
        yield folder


@pytest.mark.django_db
def test_a_real_disk_that_fills_up_gives_507_and_has_its_room_back(
    storeroom: Path, small_disk: Path, settings: Settings
) -> None:
    settings.STORAGE_PATH = small_disk
    with pytest.raises(Problem) as caught, Intake(category="recordings", largest=10**9) as intake:
        fill(intake, 64 * 1024 * 1024)
    assert (caught.value.code, caught.value.status) == ("disk_full", 507)
    assert names_below(small_disk) == []
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    eventually(lambda: not list(space().open_multiparts(before=later)), within=20)
    # What is thrown away is given back only when the last thread that read it has let go.
    eventually(lambda: local().free_bytes() > 47 * 1024 * 1024, within=20)
    assert store(bytes(20 * 1024 * 1024)).durability == "both"


def fill(intake: Intake, size: int) -> None:
    for _ in range(size // MIB):
        intake.write(bytes(MIB))
    intake.land()


class Unclosable:
    def __init__(self, number: int, sink: Any) -> None:
        self.number, self.sink, self.fileno = number, sink, sink.fileno
        self.is_closed = False

    def close(self) -> None:
        self.sink.close()
        if not self.is_closed:
            self.is_closed = True
            raise OSError(self.number, os.strerror(self.number))


class Refusing:
    def __init__(self, number: int, sink: Any) -> None:
        self.number, self.sink = number, sink

    def write(self, chunk: bytes) -> int:
        raise OSError(self.number, os.strerror(self.number))

    def close(self) -> None:
        self.sink.close()


@pytest.mark.django_db
def test_files_are_read_only_and_nothing_stays_in_temp(storeroom: Path) -> None:
    file = store()
    assert on_disk(file).stat().st_mode & 0o777 == 0o444
    assert not list((storeroom / "temp").iterdir())
