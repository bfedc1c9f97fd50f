"""Having due copies made at once: by a worker of the node whose disk holds the bytes, who alone can.

Every worker listens on a queue of its node besides those it shares. A node without a worker looks for itself, as all do
(see `chores`): its queue then holds one message at the most, which nobody reads.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from celery.signals import celeryd_after_setup
from django.conf import settings
from django.db import transaction

SYNC_COPIES = "storage_sync.tasks.sync_copies"
"""The sync engine's task, by name: the engine stands above this room."""
TASK_SECONDS = 45.0


def queue_of(node: str) -> str:
    """The queue that only workers of that node read."""
    return f"storage@{node}"


def wake() -> None:
    """Once this transaction has committed, have this node's worker make what is due. Never fails."""
    # robust: a broker that is away is no reason to fail; the scan finds what is due.
    transaction.on_commit(_send, robust=True)


def forget(node: str) -> None:
    """The node is gone for good: so is its queue."""
    with current_app.connection_or_acquire() as broker:
        broker.default_channel.client.delete(queue_of(node))


def _send() -> None:
    queue = queue_of(settings.STORAGE_NODE)
    if not _messages_in(queue):
        current_app.send_task(SYNC_COPIES, queue=queue)


def _messages_in(queue: str) -> int:
    with current_app.connection_or_acquire() as broker:
        # Not by a passive declaration, kombu's own way: it forgets the prefix of our keys and finds no queue.
        return int(broker.default_channel.client.llen(queue))


@celeryd_after_setup.connect(weak=False)
def listen(instance: Any, **_: Any) -> None:
    """A worker is about to start: it listens on its node's queue, too."""
    instance.app.amqp.queues.select_add(queue_of(settings.STORAGE_NODE))
