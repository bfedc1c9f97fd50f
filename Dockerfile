# The one image of web, worker, beat and the migrate job. Build argument CHATVISTA_EXTRAS=speech adds the speech engine.
FROM python:3.13-slim-trixie

# pg_dump and pg_restore that speak TLS, new enough for managed PostgreSQL.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 10001 chatvista \
    && mkdir -p /app/storage \
    && chown chatvista:chatvista /app/storage

WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 CHATVISTA_BIND=0.0.0.0

ARG CHATVISTA_EXTRAS=""
COPY pyproject.toml uv.lock .python-version ./
RUN pip install --no-cache-dir "uv>=0.9" \
    && UV_PYTHON=/usr/local/bin/python UV_PYTHON_DOWNLOADS=never \
       uv sync --frozen --no-dev --no-cache ${CHATVISTA_EXTRAS:+--extra ${CHATVISTA_EXTRAS}}

COPY manage.py ./
COPY chatvista ./chatvista
COPY accounts ./accounts
COPY meetings ./meetings
COPY storage_sync ./storage_sync
COPY backups ./backups

# collectstatic asks for the settings, and the settings for a whole environment: these values reach no running process.
RUN export SESSION_SECRET=$(head -c 48 /dev/urandom | base64 -w0) JWT_SECRET=$(head -c 48 /dev/urandom | base64 -w0) \
        JWT_REFRESH_SECRET=$(head -c 48 /dev/urandom | base64 -w0) ENCRYPTION_KEY=$(od -An -tx1 -N32 -v /dev/urandom | tr -d ' \n') \
        SIGNING_KEY=$(od -An -tx1 -N32 -v /dev/urandom | tr -d ' \n') DATABASE_URL=postgresql://build@127.0.0.1/build \
        REDIS_URL=redis://127.0.0.1:6379/0 CHATVISTA_DISK_DURABLE=true CHATVISTA_STORAGE_PATH=/tmp/build \
    && python manage.py collectstatic --noinput

USER chatvista
EXPOSE 8080
CMD ["gunicorn", "-c", "python:chatvista.serving", "chatvista.wsgi:application"]
