"""What our Celery application does to Celery."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import connection

from chatvista.celery import app, keep_the_pool


@pytest.mark.django_db
def test_a_task_leaves_the_pool_to_the_other_threads_of_its_process() -> None:
    [fixup] = [fixup.worker_fixup for fixup in app._fixups]  # type: ignore[attr-defined]
    fixup.worker = SimpleNamespace(pool_cls="celery.concurrency.prefork:TaskPool")
    assert fixup._is_prefork(), "Celery has changed how it decides: see keep_the_pool"
    keep_the_pool()
    assert not fixup._is_prefork()
    assert connection.settings_dict["OPTIONS"]["pool"]
