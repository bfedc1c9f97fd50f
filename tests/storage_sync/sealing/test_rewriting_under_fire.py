"""Files that are rewritten while readers read them and killers kill."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from chatvista.foundation.problems import Problem
from storage_sync.disk import verifying
from storage_sync.giving import reading
from storage_sync.models import Remnant, StoredFile
from storage_sync.sealing import remnants, rewriting
from storage_sync.sealing.rewriting import rewrite
from tests.storage_sync.making import WORDS, space, store
from tests.storage_sync.sealing.test_rewriting import again, has_no_plaintext, lies_right
from tests.storage_sync.sealing.test_sealed_files import LARGE, get

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What stands for SIGKILL: nothing catches it, and what would clean up is kept from it below."""


STEPS = ("_write_here", "_put", "_switch", "remnants.remove_due")


@pytest.mark.parametrize("sealing", [True, False])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_step_it_is_readable_and_the_next_run_leaves_nothing_behind(
    storeroom: Path, monkeypatch: pytest.MonkeyPatch, step: str, when: str, sealing: bool
) -> None:
    file = store(is_confidential=not sealing)
    with monkeypatch.context() as dying:
        _die_at(dying, step, when)
        with pytest.raises(Killed):
            rewrite(file_id=file.pk, is_confidential=sealing)
    verifying.forget_everything()
    assert get(again(file)) == (200, WORDS)
    StoredFile.objects.filter(pk=file.pk, lease_token__isnull=False).update(lease_until=Now())
    rewrite(file_id=file.pk, is_confidential=sealing)
    Remnant.objects.update(due_at=Now())
    remnants.remove_due()
    now = again(file)
    assert now.is_confidential is sealing
    assert lies_right(now)
    assert get(now) == (200, WORDS)
    if sealing:
        assert has_no_plaintext(storeroom)
    assert [found.key for found in space().page().found] == [now.key]


def _die_at(dying: pytest.MonkeyPatch, step: str, when: str) -> None:
    owner, name = (remnants, step.partition(".")[2]) if "." in step else (rewriting, step)
    real: Callable[..., object] = getattr(owner, name)

    def die(*args: object, **kwargs: object) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    dying.setattr(owner, name, die)
    if step != "remnants.remove_due":
        # A killed process tidies nothing up.
        dying.setattr(remnants, "give_up", lambda **_: None)


def test_readers_never_get_a_wrong_byte_while_a_file_is_sealed_and_opened(storeroom: Path) -> None:
    file, wrong, seen, stop = store(LARGE), list[object](), list[int](), threading.Event()

    def read(number: int) -> None:
        mine = again(file)
        try:
            while not stop.is_set():
                # Some hold on to an old row, as a slow request does; some ask anew.
                row = mine if number % 2 else again(file)
                start = (len(seen) * 99_991) % (len(LARGE) - 2_000)
                try:
                    whole = b"".join(reading.stream(row, start=start, length=1_500))
                    with reading.opened(row) as source:
                        source.seek(start)
                        same = source.read(1_500)
                except (Problem, OSError):
                    continue  # try again: no answer is no wrong answer
                seen.append(start)
                if not whole == same == LARGE[start : start + 1_500]:
                    wrong.append(start)
        except BaseException as error:
            wrong.append(error)
            raise
        finally:
            connection.close()

    readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(6):
        rewrite(file_id=file.pk, is_confidential=turn % 2 == 0)
        before = len(seen)
        while len(seen) < before + 8 and not wrong:
            stop.wait(0.01)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(seen) >= 48
