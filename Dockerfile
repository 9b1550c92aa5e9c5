# The bot in a container: its own user, nothing writable but /srv/plc/var and /tmp. docs/operations.md says how to run it.
FROM docker.io/library/python:3.12-slim

RUN useradd --create-home --uid 10001 plc
WORKDIR /srv/plc
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv .venv \
 && .venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY program program
COPY storage storage
COPY handlers handlers
COPY bot bot
COPY manifest manifest
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
 && mkdir var && chown plc var

USER plc
VOLUME /srv/plc/var
ENV PLC_HOST=0.0.0.0 PLC_PORT=3978 PYTHONDONTWRITEBYTECODE=1
EXPOSE 3978
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD [".venv/bin/python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PLC_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT [".venv/bin/plc-bot"]
CMD ["run", "--verbose"]
