"""Serve in this process what real servers serve, for tests of what talks to one: no interpreter has to start."""

from __future__ import annotations

import threading

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from scheduler.config import SchedulerConfig
from scheduler.http.app import create_app
from tests.http.conftest import EXTENSION
from tests.server import Server


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Say nothing of a request."""


class LocalServer(Server):
    """The same application behind a plain HTTP server in a thread: what gunicorn adds is not here."""

    _http_server: BaseWSGIServer

    def start(self) -> LocalServer:
        """Start it; it answers at once."""
        config = SchedulerConfig.from_environment(self.settings)
        app = create_app(lambda: config)
        self._service = app.extensions[EXTENSION]
        self._service.open()
        self._http_server = make_server("127.0.0.1", self.port, app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._http_server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End it, and the scheduler behind it."""
        self.http.close()
        self._http_server.shutdown()
        self._thread.join()
        self._http_server.server_close()
        self._service.close()
