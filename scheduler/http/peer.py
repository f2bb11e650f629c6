"""Say who asks: a user or named token, the run that asks from inside, or an address."""

from __future__ import annotations

from flask import Request

from scheduler.http.auth import current
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import run_of_connection


def caller(service: TaskScheduler, request: Request) -> str:
    """Return the name of the user or token; of others "run RUN_ID" where that can be known, else the peer's address."""
    if (name := current().name) is not None:
        return name
    peer = request.remote_addr or "unknown"
    connection = request.environ.get("gunicorn.socket")
    if connection is None or not service.has_running():
        return peer
    server, client = connection.getsockname(), connection.getpeername()
    if not isinstance(server, tuple) or not isinstance(client, tuple):
        return peer
    run_id = run_of_connection((server[0], server[1]), (client[0], client[1]))
    return peer if run_id is None else f"run {run_id}"
