"""The WSGI door: `gunicorn chatvista.wsgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from chatvista.foundation.lingering import Lingering

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatvista.settings")

application = Lingering(get_wsgi_application())
