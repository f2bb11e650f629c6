"""Examine this machine and the settings, one thing after the other; each finding says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from scheduler import alarm
from scheduler.cli.client import Client, Login
from scheduler.cli.ending import NOT_ALLOWED, Refused
from scheduler.config import SchedulerConfig
from scheduler.errors import Unavailable
from scheduler.models import utc_now
from scheduler.namespaces import DEFAULT
from scheduler.placing import with_place
from scheduler.store import sqlite_url
from scheduler.store.looking import file_of, found_schema, found_tokens
from tasks.sandbox import AllowedDirs, ConfinementError, make_confinement

_LEAST_FREE = 100 << 20
_SHORT = 16
_PATIENCE = 5.0
"""Seconds that whatever listens on the port has to answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check; `todo` is set unless all is well."""

    check: str
    state: Literal["ok", "warning", "failed"]
    found: str
    todo: str | None = None


def examine(config: SchedulerConfig) -> Iterator[Finding]:
    """Check everything that serving needs."""
    config, _ = with_place(config)
    for check in (_token, _directories, _data, _sandbox, _clock, _store, _port):
        yield from check(config)


def _token(config: SchedulerConfig) -> Iterator[Finding]:
    kept = config.state_dir / "token"
    token = config.token.get_secret_value().strip() if config.token else ""
    if token:
        short = len(token) < _SHORT
        todo = "choose one of 32 random characters (SCHEDULER_TOKEN)" if short else None
        yield Finding("token", "warning" if short else "ok", f"set, {len(token)} characters", todo)
    elif (named := _named_tokens(config)) is not None:
        yield named
    elif config.on_loopback:
        todo = "set SCHEDULER_TOKEN if others use this machine or tasks are not trusted"
        yield Finding("token", "warning", "none: every program on this machine may call", todo)
    elif not kept.exists():
        yield Finding("token", "ok", f"none yet: one is made at the first start and kept in {kept}")
    elif stat.S_IMODE(kept.stat().st_mode) & 0o077:
        yield Finding("token", "failed", f"{kept} can be read by others", f"chmod 600 {kept}")
    else:
        yield Finding("token", "ok", f"kept in {kept}")


def _named_tokens(config: SchedulerConfig) -> Finding | None:
    """Say who else may call: users, and programs by named tokens; None where anybody may."""
    users = "users log in by name and password" if config.users or config.users_path.exists() else ""
    try:
        rows = found_tokens(_database_url(config), config.namespace or DEFAULT)
    except (Unavailable, ValueError) as error:
        return Finding("token", "warning", f"whether named tokens exist is not known: {error}", "see the store, below")
    good = sum(row.fault(utc_now()) is None for row in rows)
    if not rows and not users:
        return None
    if not good and not users:
        found = "nobody may call: every named token was revoked or has expired"
        return Finding("token", "warning", found, "task-scheduler token add NAME --scope admin")
    named = f"programs show named tokens ({good} good)" if good else ""
    return Finding("token", "ok", f"none set: {'; '.join(filter(None, [users, named]))}")


def _database_url(config: SchedulerConfig) -> str:
    return config.database_url or sqlite_url(config.state_dir)


def _directories(config: SchedulerConfig) -> Iterator[Finding]:
    for path in config.allowed_dirs:
        if not path.is_dir():
            yield Finding(
                "directory", "failed", f"{path} is no directory", f"mkdir -p {path}, or SCHEDULER_ALLOWED_DIRS"
            )
        elif not os.access(path, os.W_OK | os.X_OK):
            yield Finding("directory", "warning", f"{path} cannot be written by this user", f"check who owns {path}")
        else:
            yield Finding("directory", "ok", f"{path} may be used by tasks")


def _data(config: SchedulerConfig) -> Iterator[Finding]:
    path = config.state_dir
    above = next(parent for parent in (path, *path.parents) if parent.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        yield Finding("data directory", "failed", f"{above} cannot be written by this user", "set SCHEDULER_DATA_DIR")
        return
    free = shutil.disk_usage(above).free
    if free < _LEAST_FREE:
        found = f"only {free >> 20} MiB are free in {above}"
        yield Finding("data directory", "failed", found, "make room, or set SCHEDULER_DATA_DIR to another disk")
    elif above == path and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("data directory", "warning", f"{path} can be entered by others", f"chmod 700 {path}")
    else:
        yet = "" if above == path else ", made at the first start"
        yield Finding("data directory", "ok", f"{path}{yet}, {free >> 30} GiB free")


@contextmanager
def _data_dir(config: SchedulerConfig) -> Iterator[Path]:
    """Give the data directory, or where there is none yet another that serves as well for a trial."""
    if config.state_dir.is_dir() and os.access(config.state_dir, os.W_OK):
        yield config.state_dir
        return
    with tempfile.TemporaryDirectory(prefix="task-scheduler-doctor-") as folder:
        yield Path(folder)


def _sandbox(config: SchedulerConfig) -> Iterator[Finding]:
    if not all(path.is_dir() for path in config.allowed_dirs):
        yield Finding("sandbox", "warning", "not tried: a directory is missing", "make the directories first")
        return
    with _data_dir(config) as data_dir:
        try:
            yield _tried(config, data_dir)
        except ConfinementError as error:
            yield Finding("sandbox", "failed", str(error), "change the settings that it names")


def _tried(config: SchedulerConfig, data_dir: Path) -> Finding:
    confinement = make_confinement(
        config.sandbox,
        AllowedDirs(config.allowed_dirs),
        config.read_dirs,
        config.network,
        config.task_user,
        data_dir,
    )
    try:
        faults = confinement.self_test()
        told = confinement.describe()
    finally:
        confinement.close()
    if confinement.refusal:
        return Finding("sandbox", "failed", "; ".join(faults) or "refused", confinement.refusal)
    level = str(told["level"])
    if level == "none":
        return Finding("sandbox", "warning", "off: runs may do all that the server may", "set SCHEDULER_SANDBOX=auto")
    if not level.startswith("landlock"):
        todo = "use a kernel with Landlock (5.13 and newer), and a container engine that lets it through"
        return Finding("sandbox", "warning", f"{level}, without Landlock", todo)
    return Finding("sandbox", "ok", f"{level}, tried from inside a run")


def _clock(config: SchedulerConfig) -> Iterator[Finding]:
    newest = Path(alarm.__file__).stat().st_mtime
    if time.time() < newest - 86_400:
        now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        yield Finding(
            "clock", "failed", f"it says {now}, before this program was written", "set it, or start an NTP client"
        )
    elif not alarm.HAS_TIMERFD:
        todo = "nothing: fire times are some milliseconds less exact"
        yield Finding("clock", "warning", "there is no timerfd: a loop's timer wakes the clock", todo)
    else:
        yield Finding("clock", "ok", "timerfd; the time is plausible")
    if not available_timezones():
        todo = "install the package tzdata of the system, or of Python"
        yield Finding("time zones", "failed", "there is no zone data", todo)
    else:
        offset = ZoneInfo(config.timezone).key
        yield Finding("time zones", "ok", f"{len(available_timezones())} zones; the scheduler's is {offset}")


def _store(config: SchedulerConfig) -> Iterator[Finding]:
    url, namespace = _database_url(config), config.namespace or DEFAULT
    try:
        path = file_of(url, namespace)
        if path is not None and not path.exists():
            yield Finding("store", "ok", f"none yet: {path} is made at the first start")
            return
        if path is not None and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            yield Finding("store", "failed", f"{path} cannot be written by this user", f"check who owns {path.parent}")
            return
        has, expects = found_schema(url, namespace)
    except (Unavailable, ValueError) as error:
        yield Finding("store", "failed", str(error), "check SCHEDULER_DATABASE_URL, and that the database is up")
        return
    if has is not None and has > expects:
        found = f"schema {has}, and this version knows up to {expects}"
        yield Finding("store", "failed", found, "run the newer version, or set another SCHEDULER_DATA_DIR")
    else:
        later = "" if has == expects else f"; the next start brings it to {expects}"
        yield Finding("store", "ok", f"opens, schema {has or 'none'}{later}")


def _port(config: SchedulerConfig) -> Iterator[Finding]:
    place = f"{config.host}:{config.port}"
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except PermissionError:
            yield Finding("port", "failed", f"{place} needs rights that this user lacks", "choose one above 1023")
            return
        except OSError as error:
            yield _listener(config, place, error.strerror or str(error))
            return
    yield Finding("port", "ok", f"{place} is free: no server runs there")


def _listener(config: SchedulerConfig, place: str, why: str) -> Finding:
    """Say who listens on the port: one of ours is all well."""
    host = "127.0.0.1" if config.host in ("0.0.0.0", "::") else config.host
    host = f"[{host}]" if ":" in host else host
    token = config.token.get_secret_value() if config.token else None
    try:
        status: dict[str, Any] = Client(f"http://{host}:{config.port}", Login(token), _PATIENCE).ask("status")
    except Refused as error:
        if error.exit_code == NOT_ALLOWED and token is None:
            return Finding("port", "ok", f"a server answers at {place}; it asks who calls, and no token is set here")
        if error.exit_code == NOT_ALLOWED:
            todo = "set SCHEDULER_TOKEN here to what the server has"
            return Finding("port", "warning", f"the server at {place} does not take the token", todo)
        found = f"{place} cannot be used ({why}), and what is there is no task scheduler"
        return Finding("port", "failed", found, "stop it, or choose another port (SCHEDULER_PORT)")
    return Finding("port", "ok", f"a server answers at {place}: {status['message']}, version {status['version']}")
