"""Celery: it only wakes somebody up; the truth about work is in PostgreSQL (chatvista.foundation.leases)."""

from __future__ import annotations

import ssl
from typing import Any

from chatvista.settings.base import REDIS_URL
from chatvista.settings.environment import READER as READ

JOB_LEASE_SECONDS = READ.integer(
    "JOB_LEASE_SECONDS", "After this long without a heartbeat a worker's job is given to another.", default=30, least=2
)

CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("rediss://"):
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A queueing request must not hang on a broker that is away: the periodic scan of due rows will find the work.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 6 * 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "global_keyprefix": "chatvista:",
}
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "return expired leases and wake due jobs": {
        "task": "chatvista.foundation.tasks.reap_jobs",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "finish or drop abandoned reservations": {
        "task": "storage_sync.tasks.sweep_reservations",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    "move archived files": {
        "task": "storage_sync.tasks.move_archived_files",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    "forget old idempotency keys": {
        "task": "chatvista.foundation.tasks.forget_idempotency_keys",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
