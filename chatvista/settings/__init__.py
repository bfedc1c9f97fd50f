"""The settings, in parts by subject. Every value from outside comes through `environment`."""

from __future__ import annotations

from chatvista.settings.api import *  # noqa: F403  Django reads settings as the names of one module
from chatvista.settings.base import *  # noqa: F403
from chatvista.settings.environment import READER
from chatvista.settings.logging import *  # noqa: F403
from chatvista.settings.queue import *  # noqa: F403
from chatvista.settings.storage import *  # noqa: F403

READER.stop_if_faulty()
