"""The Celery application: `celery -A chatvista worker`, `celery -A chatvista beat`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_prerun, worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatvista.settings")

app = Celery("chatvista")
# In every thread: "current" alone holds for the thread that imported this.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Connecting anything here stops Celery from replacing the logging that the settings describe."""


@worker_process_init.connect
def keep_the_node_alive(**_: Any) -> None:
    """From each pool process, not from their parent: that one forks, and threads do not come along."""
    from storage_sync.presence import keeping  # noqa: PLC0415  Django is set up only now

    keeping.keep_alive()


@task_prerun.connect
def keep_the_pool(**_: Any) -> None:
    """Around every task Celery's Django fixup closes its connections, which is well, and in a prefork worker the whole
    pool, which is not: the threads of this process are using it. A fixup without a worker closes connections only.
    """
    for fixup in app._fixups:  # type: ignore[attr-defined]  # noqa: SLF001  there is no public way to them
        in_worker = getattr(fixup, "_worker_fixup", None)
        if in_worker is not None:
            in_worker.worker = None


@worker_process_shutdown.connect
def let_the_node_go(**_: Any) -> None:
    """End what `keep_the_node_alive` began."""
    from storage_sync.presence import keeping  # noqa: PLC0415

    keeping.stop()
