"""Who is told that something is due: a worker of the node that has the bytes, once, when it is committed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import transaction

from storage_sync import waking

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    waking.forget(settings.STORAGE_NODE)
    yield
    waking.forget(settings.STORAGE_NODE)


def messages() -> int:
    return waking._messages_in(waking.queue_of(settings.STORAGE_NODE))


def test_nobody_is_woken_before_it_is_committed() -> None:
    with transaction.atomic():
        waking.wake()
        assert messages() == 0
    assert messages() == 1


def test_nobody_is_woken_for_what_was_rolled_back() -> None:
    with transaction.atomic():
        waking.wake()
        transaction.set_rollback(True)
    assert messages() == 0


def test_a_thousand_reasons_are_one_message() -> None:
    for _ in range(20):
        waking.wake()
    assert messages() == 1


def test_a_broker_that_is_away_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> int:
        raise ConnectionError

    monkeypatch.setattr(waking, "_messages_in", away)
    waking.wake()


def test_a_worker_listens_on_the_queue_of_its_node() -> None:
    chosen: list[str] = []
    instance: Any = SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(select_add=chosen.append)))
    )
    waking.listen(instance=instance)
    assert chosen == [f"storage@{settings.STORAGE_NODE}"]


def test_the_task_has_the_name_by_which_it_is_called() -> None:
    from storage_sync import tasks  # noqa: PLC0415  registers on import

    assert tasks.sync_copies.name == waking.SYNC_COPIES
    assert waking.SYNC_COPIES in current_app.tasks
