"""What Django itself needs: apps, middleware, database, cache, secrets, transport security."""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import environ
from django.templatetags.static import static

from chatvista.settings.environment import CHECKOUT
from chatvista.settings.environment import READER as READ

RANDOM_TEXT = "A random text of 32 characters or more, different from every other secret."

SECRET_KEY = READ.secret("SESSION_SECRET", f"Signs sessions and forms (Django's SECRET_KEY). {RANDOM_TEXT}")
JWT_SECRET = READ.secret("JWT_SECRET", f"Signs access tokens. {RANDOM_TEXT}")
JWT_REFRESH_SECRET = READ.secret("JWT_REFRESH_SECRET", f"Signs refresh tokens. {RANDOM_TEXT}")
ENCRYPTION_KEY = READ.hex_key("ENCRYPTION_KEY", "Encrypts backups and secret columns: 32 bytes as 64 hex digits.")
SIGNING_KEY = READ.hex_key("SIGNING_KEY", "Signs download links and manifests: 32 bytes as 64 hex digits.")
ENCRYPTION_KEY_PREVIOUS = READ.hex_keys(
    "ENCRYPTION_KEY_PREVIOUS", "Earlier values of ENCRYPTION_KEY, comma-separated: still good for opening."
)
SIGNING_KEY_PREVIOUS = READ.hex_keys(
    "SIGNING_KEY_PREVIOUS", "Earlier values of SIGNING_KEY, comma-separated: what they signed still verifies."
)
_given = [value for value in (SECRET_KEY, JWT_SECRET, JWT_REFRESH_SECRET) if value]
if len(set(_given)) != len(_given) or (ENCRYPTION_KEY and ENCRYPTION_KEY == SIGNING_KEY):
    READ.fault("SECRETS", "are not distinct", "Give each secret a value of its own, so that one leak stays one leak.")

DEBUG = False
ALLOWED_HOSTS = READ.words(
    "ALLOWED_HOSTS", "Host names this service answers to, comma-separated.", default="127.0.0.1,localhost"
)
PUBLIC_URL = READ.url(
    "PUBLIC_URL", "Where people reach the service.", schemes=("http", "https"), default="http://127.0.0.1:8000"
)
PLAIN_HTTP = READ.boolean(
    "CHATVISTA_PLAIN_HTTP", "Serve plain HTTP (one machine, loopback); never behind a public name.", default=False
)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "chatvista.apps.ChatVistaConfig",
    "chatvista.foundation",
    "storage_sync",
    "backups",
    "accounts",
    "meetings",
]
MIDDLEWARE = [
    "chatvista.foundation.correlation.RequestIdMiddleware",
    "chatvista.health.HealthMiddleware",
    "chatvista.foundation.journal.RequestJournal",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "chatvista.foundation.bodies.ChunkedBodies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "chatvista.urls"
UNFOLD = {
    "SITE_TITLE": "ChatVista",
    "SITE_HEADER": "ChatVista",
    "SITE_SUBHEADER": "Operators",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("chatvista/icon.svg")}],
}
WSGI_APPLICATION = "chatvista.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = CHECKOUT / "staticfiles"
# Collected, hashed and compressed in an image; found in the packages themselves where nobody ran collectstatic.
STATIC_IS_COLLECTED = (STATIC_ROOT / "staticfiles.json").is_file()
WHITENOISE_USE_FINDERS = not STATIC_IS_COLLECTED
if not STATIC_IS_COLLECTED:
    # WhiteNoise warns of a missing folder at every start; here that is how it is meant to be.
    warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)


def _database() -> dict[str, Any]:
    """DATABASES["default"] with psycopg's pool: small, since a rolling deploy runs old and new side by side."""
    url = READ.url(
        "DATABASE_URL",
        "The PostgreSQL database: postgresql://user:password@host:port/name?sslmode=require.",
        schemes=("postgres", "postgresql"),
    )
    most = READ.integer(
        "DATABASE_POOL_SIZE", "Most connections one process opens; above its number of threads.", default=12, least=2
    )
    certificate = READ.text(
        "DATABASE_CA_CERT",
        "PEM of the authority that signed the database's certificate; turns on verify-full.",
        default="",
    )
    if READ.faults and not url:
        return {}
    config: dict[str, Any] = environ.Env.db_url_config(url)
    config["ENGINE"] = "django.db.backends.postgresql"
    config["CONN_MAX_AGE"] = 0
    # A pooled connection may have died with a restarted server; looking costs less than a request that fails.
    config["CONN_HEALTH_CHECKS"] = True
    options = config.setdefault("OPTIONS", {})
    options["pool"] = {"min_size": 0, "max_size": most, "timeout": 5, "max_idle": 60}
    options.setdefault("connect_timeout", 5)
    options.setdefault("application_name", "chatvista")
    # A network that goes silent is noticed within a minute instead of whenever the kernel gives up.
    options |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
    if certificate:
        options |= {"sslmode": "verify-full", "sslrootcert": str(_certificate_file(certificate))}
    return config


def _certificate_file(pem: str) -> Path:
    """libpq takes the authority as a path only, so it is laid into a file named after its content."""
    folder = Path(tempfile.gettempdir()) / f"chatvista-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{hashlib.sha256(pem.encode()).hexdigest()[:16]}.pem"
    if not path.exists():
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(pem.replace("\\n", "\n"))
        beside.replace(path)
    return path


DATABASES = {"default": _database()}

REDIS_URL = READ.url(
    "REDIS_URL", "Redis 7 or Valkey: redis://:password@host:port/0, or rediss:// for TLS.", schemes=("redis", "rediss")
)
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "chatvista",
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 2,
            # A cache that is away must slow nobody down and sign nobody out: sessions fall back to the database.
            "IGNORE_EXCEPTIONS": True,
        },
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

SECURE_PROXY_SSL_HEADER = None if PLAIN_HTTP else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = not PLAIN_HTTP
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PLAIN_HTTP
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
