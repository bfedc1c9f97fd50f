"""The Celery application: `celery -A chatvista worker`, `celery -A chatvista beat`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatvista.settings")

app = Celery("chatvista")
# In every thread: "current" alone holds for the thread that imported this.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Connecting anything here stops Celery from replacing the logging that the settings describe."""
