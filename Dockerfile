# The service in a container. Build and run:
#   docker build -t task-scheduler .
#   docker run --name scheduler -p 127.0.0.1:10800:10800 -v scheduler-data:/data -v "$PWD:/workspace" \
#       --stop-timeout 40 task-scheduler
# docs/operations.md tells what to know beyond that. Without a container engine, deploy/check-dockerfile
# carries these very steps out in a root made by debootstrap, and tries the service there.

FROM debian:bookworm-slim

LABEL org.opencontainers.image.title="task-scheduler" \
      org.opencontainers.image.description="Runs commands, tests, scripts and inline Python on a schedule; one JSON endpoint." \
      org.opencontainers.image.licenses="MIT"

# tini is process 1: it hands signals on and reaps what tasks leave behind. The time zones are for the programs of
# tasks; the service brings its own. The user's number is fixed, so that volumes keep their owner.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates python3 python3-venv tini tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \
    && groupadd --gid 10800 scheduler \
    && useradd --uid 10800 --gid 10800 --home-dir /data --no-create-home --shell /usr/sbin/nologin scheduler \
    && install -d -o scheduler -g scheduler -m 0700 /data \
    && install -d -o scheduler -g scheduler -m 0755 /workspace

# All packages in one layer, each pinned by its hash; it changes only when requirements.txt does.
COPY requirements.txt deploy/requirements-build.txt /opt/src/
RUN python3 -m venv /opt/scheduler \
    && /opt/scheduler/bin/pip install --disable-pip-version-check --no-cache-dir --require-hashes \
        -r /opt/src/requirements.txt -r /opt/src/requirements-build.txt

# The service itself. It and its interpreter belong to root: no task can change them.
COPY pyproject.toml README.md LICENSE server.py /opt/src/
COPY scheduler /opt/src/scheduler
COPY tasks /opt/src/tasks
RUN /opt/scheduler/bin/pip install --disable-pip-version-check --no-cache-dir --no-index \
        --no-build-isolation --no-deps /opt/src \
    && rm -rf /opt/src

# Off loopback the service wants a token: unless SCHEDULER_TOKEN is set, it makes one at its first start,
# shows it once in the log and keeps it in /data/token.
ENV PATH=/opt/scheduler/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1 \
    SCHEDULER_HOST=0.0.0.0 \
    SCHEDULER_PORT=10800 \
    SCHEDULER_ALLOWED_DIRS=/workspace \
    SCHEDULER_SANDBOX=require \
    SCHEDULER_DATA_DIR=/data

# Not /workspace: Python looks for modules in the directory that it is started in, and tasks write there.
WORKDIR /opt/scheduler
USER 10800:10800
VOLUME ["/data"]
EXPOSE 10800
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['SCHEDULER_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["task-scheduler"]
