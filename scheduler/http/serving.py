"""Run the application under gunicorn, in this process."""

from __future__ import annotations

import gc
import ipaddress
import os
import resource
import sys
import threading
import time
from typing import Any

from gunicorn.app.base import BaseApplication

from scheduler.config import SchedulerConfig, unknown_settings
from scheduler.errors import SchedulerError, Unavailable, Unusable
from scheduler.http.app import EXTENSION, Service, create_app
from scheduler.http.present import task_texts
from scheduler.http.systemd import Condition, Systemd, hide_socket
from scheduler.logs import check_log_file, keep_records_small, logging_settings
from scheduler.placing import make_data_dir
from scheduler.store import check_url
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import adopt_orphans, protect_process

THREADS = 8
CONNECTIONS = 1000
DESCRIPTORS = 16 * 1024
"""How many files and sockets a process may have open, where the system lets it: a client can make it open sockets."""
_TRY_LATER, _NEVER_TRY_AGAIN = 3, 4
"""The exit codes of a worker after which gunicorn ends with the same, instead of starting the next to fail likewise."""
STORE_SECONDS = 15.0
"""How long a start waits for a store that is in trouble."""
_TRY_AGAIN_SECONDS = 0.25
KILL_SECONDS = 5.0
"""How long an ended run's processes may take from SIGTERM to SIGKILL."""


def gunicorn_settings(config: SchedulerConfig | None = None) -> dict[str, Any]:
    """Return gunicorn's settings: few threads, and hooks that open and close each worker's scheduler.

    Unknown variables are told on standard error: whoever starts a server reads its settings here.
    """
    # First: what is missing below may be what was meant.
    for line in unknown_settings(os.environ):
        print(f"warning: {line}", file=sys.stderr)
    config = config or SchedulerConfig.from_environment()
    _check(config)
    hide_socket(os.environ)
    host = f"[{config.host}]" if ":" in config.host else config.host
    return {
        "bind": f"{host}:{config.port}",
        "worker_class": "scheduler.http.worker.HandoffWorker",
        "workers": 1,
        "threads": THREADS,
        "worker_connections": min(CONNECTIONS, _raise_descriptor_limit() // 2),
        "timeout": 60,
        "graceful_timeout": int(config.stop_grace_seconds + KILL_SECONDS + 15),
        "keepalive": 30,
        # The most that gunicorn takes: lanes of a timeline are asked for by the ids of tasks.
        "limit_request_line": 8190,
        # Whoever sends a file so waits for its client, however long that takes.
        "sendfile": False,
        # gunicorn lets clients on loopback say what the path is: a proxy might, but so might any program and run.
        "forwarder_headers": "",
        "control_socket_disable": True,
        "logger_class": "scheduler.http.worker.Logger",
        "logconfig_dict": logging_settings(config.log_level, config.log_format, config.log_file),
        "when_ready": _listens,
        "post_worker_init": _open,
        "worker_exit": _close,
    }


def _raise_descriptor_limit() -> int:
    """Let this process and its children have up to DESCRIPTORS files and sockets open; return how many they may.

    Confined runs have a limit of their own.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return DESCRIPTORS
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def _check(config: SchedulerConfig) -> None:
    """Raise `SchedulerError` where the settings are wrong, as far as that shows without opening anything."""
    if config.log_file is not None:
        check_log_file(config.log_file)
    make_data_dir(config.state_dir)
    if config.database_url is not None:
        check_url(config.database_url)


class Server(BaseApplication):
    """gunicorn around our application, without its command line."""

    def __init__(self, config: SchedulerConfig) -> None:
        self._config, self._settings = config, gunicorn_settings(config)
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings over."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application."""
        return create_app(lambda: self._config)


def serve(config: SchedulerConfig) -> None:
    """Serve until told to stop; raise `SchedulerError` where no start would go better before something is mended."""
    first = os.getpid()
    try:
        Server(config).run()
    except SystemExit as end:
        if end.code != _NEVER_TRY_AGAIN or os.getpid() != first:  # a worker ends by way of this, too
            raise
        raise Unusable("nothing is served: the log says above what has to be mended first") from None


def _service(worker: Any) -> Service:
    service: Service = worker.app.wsgi().extensions[EXTENSION]
    return service


def _listens(_server: Any) -> None:
    """Run in gunicorn's first process, before there are workers."""
    Systemd.from_environment(os.environ).announce_stop()


def _open(worker: Any) -> None:
    # Threads that wait for the interpreter get it after half a millisecond, not after five: the
    # clock's lateness is at stake.
    sys.setswitchinterval(0.0005)
    keep_records_small()
    # This process is the service's alone: no run may look into it, and what runs leave behind comes to it.
    protect_process()
    adopt_orphans()
    service = _service(worker)
    service.exposed = any(_off_loopback(listener.getsockname()) for listener in worker.sockets)
    try:
        scheduler = _opened(service, worker.log)
    except SchedulerError as error:
        worker.log.error(error.message)
        may_pass = isinstance(error, Unavailable) and not isinstance(error, Unusable)
        sys.exit(_TRY_LATER if may_pass else _NEVER_TRY_AGAIN)
    _spare_the_collector()
    worker.on_stopping = scheduler.wind_down
    for warning in scheduler.warnings():
        worker.log.warning(warning)
    worker.systemd = Systemd.from_environment(os.environ)
    worker.systemd.keep_told(lambda: _condition(scheduler))
    threading.Thread(target=scheduler.prepare_lists, args=(task_texts,), name="lists", daemon=True).start()


def _opened(service: Service, log: Any, seconds: float = STORE_SECONDS) -> TaskScheduler:
    """Open the scheduler, with patience for a store that is locked or full; raise `SchedulerError` in the end."""
    deadline, told = time.monotonic() + seconds, ""
    while True:
        try:
            return service.open()
        except Unavailable as error:
            if isinstance(error, Unusable) or time.monotonic() > deadline:
                raise
            if told != error.message:
                told = error.message
                log.warning("waiting for the store: %s", told)
        time.sleep(_TRY_AGAIN_SECONDS)


def _spare_the_collector() -> None:
    """Let the garbage collector pass over what is there now, which stays: a look at all of it stops every thread.

    That is some 100,000 objects of the libraries, and 50 ms and more in which the clock is late.
    """
    gc.collect()
    gc.freeze()


def _condition(scheduler: TaskScheduler) -> Condition:
    """Say how this process is. No restart mends a store in trouble, and it would end the runs under way."""
    reasons = scheduler.health()["reasons"]
    return Condition(scheduler.has_clock(), f"Degraded: {'; '.join(reasons)}" if reasons else "Serving")


def _off_loopback(address: Any) -> bool:
    """Whether a listening address can be reached from other machines; a path is a Unix socket."""
    return isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback


def _close(server: Any, worker: Any) -> None:
    if worker.booted:
        worker.systemd.stop()
        _service(worker).close()
