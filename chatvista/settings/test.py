"""Settings of the test-suite: the real ones, with cheap password hashing and names of its own per test process."""

from __future__ import annotations

import os

from chatvista.settings import *  # noqa: F403
from chatvista.settings import (
    CACHES,
    CELERY_BROKER_TRANSPORT_OPTIONS,
    MIDDLEWARE,
    REST_FRAMEWORK,
    SPACES_BUCKET,
    STORAGE_PATH,
    STORAGES,
)

PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")
SECURE_SSL_REDIRECT = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES["default"]["KEY_PREFIX"] = f"test-{PROCESS}-{os.getpid()}"
CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = f"test-{PROCESS}-{os.getpid()}:"
# Below the home of the suite's own servers, and gone with it.
STORAGE_PATH = STORAGE_PATH / f"{PROCESS}-{os.getpid()}"
STORAGE_NODE = f"test-{PROCESS}"
SPACES_BUCKET = f"{SPACES_BUCKET}-{PROCESS}"
STORAGES["spaces"]["OPTIONS"]["bucket_name"] = SPACES_BUCKET  # type: ignore[index]  # STORAGES mixes shapes
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# A suite registers more often than people do; tests of limits set their own.
REGISTRATIONS_PER_MINUTE = LOGINS_PER_MINUTE = 100_000
# Nobody collects static files for tests, and WhiteNoise warns of their absence at every request.
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]
REST_FRAMEWORK["TEST_REQUEST_DEFAULT_FORMAT"] = "json"
REST_FRAMEWORK["TEST_REQUEST_RENDERER_CLASSES"] = [
    "rest_framework.renderers.JSONRenderer",
    "rest_framework.renderers.MultiPartRenderer",
]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
