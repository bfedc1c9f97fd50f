"""Logs: structured, one line an event, on stderr, each with its request id. Command output alone is on stdout."""

from __future__ import annotations

from typing import Any

import structlog
from structlog.typing import Processor

from chatvista.settings.environment import READER as READ

_FORMAT = READ.choice(
    "LOG_FORMAT", "json for machines, console for people.", default="json", options=("json", "console")
)
_LEVEL = READ.choice(
    "LOG_LEVEL", "Least severity that is logged.", default="INFO", options=("DEBUG", "INFO", "WARNING", "ERROR")
)
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
_RENDERER: Processor = (
    structlog.processors.JSONRenderer() if _FORMAT == "json" else structlog.dev.ConsoleRenderer(colors=False)
)
structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _RENDERER],
            "foreign_pre_chain": _SHARED,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": _LEVEL},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "botocore": {"level": "WARNING"},
        "faster_whisper": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# Our middleware has put id and address in order; by itself the library would make another id and believe the
# client's own X-Forwarded-For.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
