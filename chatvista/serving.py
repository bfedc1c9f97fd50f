"""How gunicorn serves: `gunicorn -c python:chatvista.serving chatvista.wsgi`. Every name below is gunicorn's own."""

from __future__ import annotations

import os

bind = f"{os.environ.get('CHATVISTA_BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# A thread that streams an upload is alive however long that takes; the main thread's heartbeat is what is watched.
timeout = 60
graceful_timeout = 100
keepalive = 30
# Bodies stream through; only headers are bounded here.
limit_request_field_size = 16_380
control_socket_disable = True
accesslog = None
preload_app = False
