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
# A message is done with when its work begins: a worker that dies is noticed by its lease, and what a dead one had not
# acknowledged would find that lease still held. Acknowledged at the end, work that outlives a restart of the broker
# is acknowledged to a connection that is gone, and kombu 5.7 leaves the worker alive but deaf.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A decoder that hangs would renew its lease for ever; days of sound are heard in less.
CELERY_TASK_SOFT_TIME_LIMIT = 5 * 3600
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A queueing request must not hang on a broker that is away: the periodic scan of due rows will find the work.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 6 * 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    # Connecting on the way to a publication: kombu would wait and try again by itself, whatever is said above.
    "max_retries": 0,
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
    "finish or end uploads nobody works on": {
        "task": "storage_sync.tasks.sweep_uploads",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    "make due copies": {
        "task": "storage_sync.tasks.sync_copies",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    "move archived files": {
        "task": "storage_sync.tasks.move_archived_files",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    "bury dead nodes": {
        "task": "storage_sync.tasks.bury_dead_nodes",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    # Terms are days, but exact to the instant; hourly, so that a run that was missed or ran out of time costs an hour.
    "apply retention policies": {
        "task": "storage_sync.tasks.apply_retention",
        "schedule": 3600.0,
        "options": {"queue": "storage", "expires": 3600},
    },
    "carry on purges": {
        "task": "storage_sync.tasks.carry_on_purges",
        "schedule": 60.0,
        "options": {"queue": "storage", "expires": 60},
    },
    "keep confidential files sealed": {
        "task": "meetings.tasks.keep_confidentiality",
        "schedule": 600.0,
        "options": {"queue": "storage", "expires": 600},
    },
    # Every hour a slice of the bytes; the list when the last whole one is almost a day old.
    "inspect the Space": {
        "task": "storage_sync.tasks.inspect_space",
        "schedule": 3600.0,
        "options": {"queue": "storage", "expires": 3600},
    },
    "clear the Space": {
        "task": "storage_sync.tasks.clear_space",
        "schedule": 3600.0,
        "options": {"queue": "storage", "expires": 3600},
    },
    "forget old idempotency keys": {
        "task": "chatvista.foundation.tasks.forget_idempotency_keys",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
