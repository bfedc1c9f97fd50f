"""How gunicorn serves: `gunicorn -c python:chatvista.serving chatvista.wsgi`. Every name below is gunicorn's own.

Importing the settings here stops a server with an incomplete environment before its first worker starts.
"""

from __future__ import annotations

import sys
from typing import Any

from chatvista.settings.environment import READER as READ

_host = READ.text("CHATVISTA_BIND", "Address the web process listens on; 0.0.0.0 in a container.", default="127.0.0.1")
_port = READ.integer("PORT", "Port the web process listens on.", default=8000, least=1, most=65_535)
workers = READ.integer("WEB_WORKERS", "Web processes.", default=2, least=1, most=64)
threads = READ.integer("WEB_THREADS", "Threads of each web process.", default=8, least=1, most=64)
READ.stop_if_faulty()

bind = f"{_host}:{_port}"
worker_class = "gthread"
# A thread that streams an upload is alive however long that takes; it is the main thread's heartbeat that is watched.
timeout = 60
graceful_timeout = 100
keepalive = 30
# Bodies stream through; only headers are bounded here.
limit_request_field_size = 16_380
control_socket_disable = True
accesslog = None
CHORES_LEFT_SECONDS = 20.0
"""How long a web process leaves the chores of its disk to the workers of the same node."""


def pre_request(worker: Any, req: Any) -> None:
    """Let the application close a connection: gunicorn takes no `Connection` header from it."""
    req.body.hang_up = req.force_close


def post_worker_init(worker: Any) -> None:
    """Keep the node alive from each web process; its chores are better done by a worker, where it has one."""
    from storage_sync.presence import keeping  # noqa: PLC0415  Django is set up only now

    keeping.keep_alive(patience=CHORES_LEFT_SECONDS)


def worker_exit(server: Any, worker: Any) -> None:
    """End what `post_worker_init` began, if this process came that far."""
    if keeping := sys.modules.get("storage_sync.presence.keeping"):
        keeping.stop()
