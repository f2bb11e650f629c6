"""Answer like a plain Flask program would: `/bare` at once, `/row` after one row of SQLite is on disk."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from flask import Flask, Response, jsonify, request

from benchmarks.limit import durable

app = Flask(__name__)
_connection = durable(Path(os.environ["BENCHMARK_DATABASE"]))
_connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body TEXT)")
_lock = threading.Lock()


@app.post("/bare")
def bare() -> Response:
    """Answer."""
    return jsonify(status="success", action=request.get_json()["action"])


@app.post("/row")
def row() -> Response:
    """Keep what was sent, then answer."""
    body = request.get_json()
    with _lock:
        _connection.execute("INSERT INTO rows (body) VALUES (?)", (request.get_data(as_text=True),))
    return jsonify(status="success", task_id=body["task_id"])
