# One image for `serve` and `work`. A production build names its base by digest, so that the same commit gives
# the same image; the digest is the builder's to record, because it changes with every security update:
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:… .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN ["python", "-m", "venv", "/app"]
WORKDIR /build
COPY requirements-production.lock ./
RUN ["/app/bin/pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", "requirements-production.lock"]
COPY pyproject.toml README.md ./
COPY calendar_service calendar_service
COPY local_google local_google
COPY templates templates
RUN ["/app/bin/pip", "install", "--no-deps", "--no-build-isolation", "."]
RUN ["/app/bin/pip", "uninstall", "--yes", "setuptools", "pip"]

FROM ${PYTHON_IMAGE}
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /app /app
WORKDIR /tmp
USER 65534:65534
EXPOSE 8080
# Alive, not ready: a database that is away must not get the process restarted.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/app/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + (os.environ.get('CALENDAR_PORT') or '8080') + '/healthz', timeout=2)"]
ENTRYPOINT ["/app/bin/calendar-service"]
CMD ["serve", "--host", "0.0.0.0"]
