"""Say who asks: an address, or the run that asks from inside."""

from __future__ import annotations

from flask import Request

from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import run_of_connection


def caller(service: TaskScheduler, request: Request) -> str:
    """Return "run RUN_ID" where a run of this service asks and that can be known, else the address of the peer."""
    peer = request.remote_addr or "unknown"
    connection = request.environ.get("gunicorn.socket")
    if connection is None or not service.has_running():
        return peer
    server, client = connection.getsockname(), connection.getpeername()
    if not isinstance(server, tuple) or not isinstance(client, tuple):
        return peer
    run_id = run_of_connection((server[0], server[1]), (client[0], client[1]))
    return peer if run_id is None else f"run {run_id}"
