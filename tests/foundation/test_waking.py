"""Waking workers through a real broker: never more messages than work, and never a request that waits for it long."""

from __future__ import annotations

import socket
import time
import uuid

import pytest
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError

from chatvista.foundation import working
from chatvista.foundation.models import Job
from chatvista.foundation.tasks import run_job


@pytest.mark.django_db(transaction=True)
def test_scans_do_not_fill_the_broker_while_every_worker_is_busy() -> None:
    queue = f"busy-{uuid.uuid4().hex[:10]}"
    for _ in range(3):
        Job.objects.create(kind="test_work", queue=queue, tenant_id=uuid.uuid4(), subject_id=uuid.uuid4())
    # Nobody was told of them yet.
    assert working.reap_jobs() == 3
    assert [working.reap_jobs() for _ in range(3)] == [0, 0, 0]
    assert working._messages_in(queue) == 3


def test_the_message_names_the_task_there_is() -> None:
    assert run_job.name == working.RUN_JOB


def test_no_message_is_open_while_its_work_is_done() -> None:
    # Acknowledged at its end to a broker that was restarted meanwhile, it left the worker alive but deaf.
    assert not run_job.acks_late


def test_a_broker_that_hangs_holds_a_request_up_for_a_few_seconds_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        with Connection(address, transport_options=options) as broker, pytest.raises(OperationalError):
            broker.Producer().publish({}, routing_key="default", retry=settings.CELERY_TASK_PUBLISH_RETRY)
        assert time.monotonic() - began < 5
