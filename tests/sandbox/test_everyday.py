"""What people do every day works inside."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks import CommandTask, CustomTask, ScriptTask, TestTask
from tests.sandbox.ground import Ground, open_to_runs

PYTHON = {
    "threads": "import threading\nt = threading.Thread(target=print, args=('x',)); t.start(); t.join()",
    "thread pool": "from concurrent.futures import ThreadPoolExecutor as P\nassert list(P(4).map(abs, [-1])) == [1]",
    "processes by fork": "import multiprocessing as m\nassert m.get_context('fork').Pool(2).map(abs, [-1]) == [1]",
    "processes by spawn": (
        "import multiprocessing as m\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(2) as pool: assert pool.map(abs, [-1]) == [1]"
    ),
    "locks and queues": (
        "import multiprocessing as m\nc = m.get_context('fork')\nq, lock = c.Queue(), c.Lock()\n"
        "def work():\n    with lock: q.put(1)\n"
        "p = c.Process(target=work); p.start(); assert q.get(timeout=5) == 1; p.join()"
    ),
    "shared memory": (
        "from multiprocessing.shared_memory import SharedMemory\n"
        "m = SharedMemory(create=True, size=64); m.buf[0] = 1; m.close(); m.unlink()"
    ),
    "asyncio": "import asyncio\nassert asyncio.run(asyncio.sleep(0, 'x')) == 'x'",
    "asyncio subprocess": (
        "import asyncio\n"
        "async def main():\n"
        "    p = await asyncio.create_subprocess_exec('echo', 'x', stdout=-1)\n"
        "    assert (await p.communicate())[0] == b'x\\n'\n"
        "asyncio.run(main())"
    ),
    "temporary files": (
        "import tempfile, os\n"
        "with tempfile.NamedTemporaryFile() as f: assert f.name.startswith(os.environ['TMPDIR'])\n"
        "with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').close()"
    ),
    "sqlite in WAL mode": (
        "import sqlite3\nc = sqlite3.connect('x.db'); c.execute('pragma journal_mode=wal')\n"
        "c.execute('create table t (x)'); c.execute('insert into t values (1)'); c.commit()\n"
        "assert sqlite3.connect('x.db').execute('select x from t').fetchall() == [(1,)]"
    ),
    "time zones": (
        "import datetime as d, zoneinfo\n"
        "assert d.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset().seconds == 7200"
    ),
    "locale": "import locale\nlocale.setlocale(locale.LC_ALL, '')\nassert locale.getpreferredencoding() == 'UTF-8'",
    "names of the network": "import socket\nassert socket.gethostbyname('localhost') == '127.0.0.1'",
    "a server and its client": (
        "import http.server, threading, urllib.request\n"
        "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
        "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
        "assert urllib.request.urlopen(f'http://127.0.0.1:{s.server_port}/').status == 200"
    ),
    "datagrams": (
        "import socket\na = socket.socket(type=socket.SOCK_DGRAM); a.bind(('127.0.0.1', 0))\n"
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', a.getsockname()); assert a.recv(9) == b'x'"
    ),
    "TLS": "import ssl\nassert ssl.create_default_context().get_ca_certs() is not None",
    "random numbers": "import os, secrets\nassert len(os.urandom(8)) == len(secrets.token_bytes(8))",
    "signals of one's own": (
        "import os, signal, subprocess\np = subprocess.Popen(['sleep', '9']); p.terminate(); assert p.wait() == -15\n"
        "signal.signal(signal.SIGUSR1, lambda *a: print('x')); os.kill(os.getpid(), signal.SIGUSR1)"
    ),
    "renaming across folders": (
        "import os\nos.makedirs('a'); os.makedirs('b'); open('a/x', 'w').close(); os.rename('a/x', 'b/y')\n"
        "os.rename('b', 'a/b'); assert os.path.exists('a/b/y')"
    ),
    "links, pipes and modes": (
        "import os\nopen('x', 'w').close(); os.symlink('x', 'l'); os.link('x', 'h'); os.mkfifo('p')\n"
        "os.chmod('x', 0o600); os.utime('x', (1, 1)); os.truncate('x', 9); assert os.stat('h').st_size == 9"
    ),
    "locks of files": "import fcntl\nfcntl.flock(open('x', 'w'), fcntl.LOCK_EX)",
    "copying a tree": (
        "import shutil, os\nos.makedirs('a/b'); open('a/b/x', 'w').close(); shutil.copytree('a', 'c')\n"
        "shutil.rmtree('a'); shutil.make_archive('z', 'zip', 'c')"
    ),
    "half a gigabyte of memory": "x = bytearray(500_000_000)",
    "own limits": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "own priority": "import os\nos.nice(1); os.sched_setaffinity(0, os.sched_getaffinity(0))",
    "number of processors": "import os\nassert os.cpu_count() >= 1",
    "what is readable of itself": "assert 'VmRSS' in open('/proc/self/status').read()",
    "logging and json": "import logging, json\nlogging.warning('x'); assert json.loads('[1]') == [1]",
    "virtual environment": (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'venv', '--without-pip', 'v'], check=True)\n"
        "subprocess.run(['v/bin/python', '-c', 'import json'], check=True)"
    ),
}

SHELL = {
    "pipes": "seq 9 | sort -r | head -2 | grep -q 9",
    "bash process substitution": "bash -c 'diff <(echo x) <(echo x)'",
    "bash here document": "bash -c 'cat <<< x'",
    "tar and gzip": "mkdir a; echo x > a/x; tar czf a.tgz a; rm -r a; tar xzf a.tgz; cat a/x",
    "git": (
        "git init -q r; cd r; git config user.email a@b; git config user.name n; echo x > x; git add x; "
        "git commit -qm one; git log --oneline; git checkout -qb branch; cd ..; git clone -q r s; git -C s status"
    ),
    "cp keeping all": "echo x > x; cp -a x y; mv y z; install -m 755 z w; test -x w; mkdir d; cp -r z d",
    "find, sed and awk": "echo a > x; find . -name x -exec sed -i s/a/b/ {} +; awk '/b/ {f=1} END {exit !f}' x",
    "background work": "sleep 0.05 & wait; (echo x > x) & wait; cat x",
    "date in a zone": 'test "$(TZ=Asia/Tokyo date +%z)" = +0900',
    "temporary file": "f=$(mktemp); echo x > $f; cat $f; case $f in $TMPDIR/*) ;; *) exit 1;; esac",
    "home": 'cd; test "$(pwd)" = "$HOME"; echo x > ~/x',
    "nice and timeout": "nice -n 5 timeout 5 true; nohup true; setsid true",
    "script of one's own": "printf '#!/bin/sh\\necho x\\n' > s; chmod +x s; ./s",
    "shared memory folder": "echo x > /dev/shm/way-$$; cat /dev/shm/way-$$; rm /dev/shm/way-$$",
    "xargs in parallel": "seq 4 | xargs -P 2 -n 1 echo",
    "uname and nproc": "uname -a; nproc; uptime >/dev/null 2>&1 || true",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One confined ground for all, with the interpreter's packages readable."""
    ground: Any = Ground(open_to_runs(tmp_path_factory.mktemp("everyday")))
    packages = next(path for path in sys.path if path.endswith("site-packages") and os.path.isdir(path + "/pytest"))
    ground.confine(read_dirs=[Path(packages)])
    # None of pytest's plugins among the packages is looked for here, and each would cost a second.
    ground.env = {"PYTHONPATH": packages, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    yield ground
    ground.close()


@pytest.fixture
def fresh(shared: Any) -> Any:
    """The ground with an empty workspace."""
    shutil.rmtree(shared.workspace)
    shared.workspace.mkdir()
    return shared


@pytest.mark.parametrize("name", PYTHON)
def test_python(name: str, fresh: Any) -> None:
    result = fresh.run(CustomTask(custom_script=PYTHON[name]))
    assert result.status == "completed", fresh.err


@pytest.mark.parametrize("name", SHELL)
def test_shell(name: str, fresh: Any) -> None:
    if name == "git" and shutil.which("git") is None:
        pytest.skip("git is not installed")
    result = fresh.run(CommandTask(command=f"set -e; {SHELL[name]}"))
    assert result.status == "completed", fresh.err


def test_pytest_with_temporary_folders(fresh: Any) -> None:
    (fresh.workspace / "test_x.py").write_text("def test_x(tmp_path): (tmp_path / 'x').write_text('x')")
    result = fresh.run(TestTask(file_path="test_x.py"), env=fresh.env)
    assert result.status == "completed", fresh.out + fresh.err
    assert result.tests is not None
    assert result.tests.passed == 1


def test_pytest_under_a_configuration_that_runs_cannot_read(fresh: Any) -> None:
    (fresh.root / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--no-such-option'\n")
    (fresh.workspace / "test_x.py").write_text("def test_x(): pass")
    result = fresh.run(TestTask(), env=fresh.env)
    assert result.status == "completed", fresh.out + fresh.err


def test_script_and_installed_program(fresh: Any) -> None:
    (fresh.workspace / "s.py").write_text("import sys, pydantic; print(sys.argv[1])")
    assert fresh.run(ScriptTask(file_path="s.py", args=["x"]), env=fresh.env).status == "completed", fresh.err
    assert fresh.out == "x\n"
    program = Path(sysconfig.get_paths()["scripts"]) / "pytest"
    if program.exists():
        assert fresh.sh("pytest --version").status == "completed", fresh.err


def test_node(fresh: Any) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    result = fresh.sh("""node -e 'setTimeout(() => console.log([1].map(x => x + 1)), 1)'""")
    assert (result.status, fresh.out) == ("completed", "[ 2 ]\n"), fresh.err


def test_compiler(fresh: Any) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    result = fresh.sh("echo 'int main() { return 0; }' > x.c && gcc x.c -o x && ./x")
    assert result.status == "completed", fresh.err
