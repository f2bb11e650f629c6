"""What belongs to a run is found, however it tried to leave; what does not is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tasks.sandbox import kill_leftovers


def start_python(code: str, **env: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(root), **env},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_leftovers_of_named_runs_are_killed_with_all_below_them(until: Any, is_alive: Any) -> None:
    script = "(env -i setsid sleep 600 & echo $!; wait) & setsid sleep 600 & echo $!; wait"
    mine = subprocess.Popen(["sh", "-c", script], env={"SCHEDULER_RUN_ID": "left-1"}, stdout=subprocess.PIPE, text=True)
    other = subprocess.Popen(["sleep", "600"], env={"SCHEDULER_RUN_ID": "left-2"})
    assert mine.stdout is not None
    inner = [int(mine.stdout.readline()) for _ in range(2)]
    until(lambda: all(map(is_alive, inner)))
    assert kill_leftovers(["left-1", "left-none"]) == 4
    assert not any(map(is_alive, [*inner, mine.pid]))
    assert is_alive(other.pid)
    assert kill_leftovers([]) == 0
    assert kill_leftovers({"left-2"}) == 1
    mine.stdout.close()
    mine.wait()
    other.wait()


SERVER = """
    import os, subprocess, sys, time
    from pathlib import Path
    from tasks import CommandTask
    from tasks.sandbox import AllowedDirs, Cancellation, RunSpec, adopt_orphans, open_sandbox

    root = Path(os.environ["ROOT"])
    adopt_orphans()

    def run(command, run_id, **changes):
        spec = RunSpec(run_id, "t", "2026", 1, "UTC", AllowedDirs([root]), None, {}, 20, root / "l", root / "t")
        with open_sandbox(spec, Cancellation()) as sandbox:
            return CommandTask(command=command).run(sandbox)

    def children():
        own = []
        for name in os.listdir("/proc"):
            if name.isdecimal():
                try:
                    fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if int(fields[1]) == os.getpid():
                    own.append((int(name), fields[0]))
        return own
"""


def test_an_orphan_that_cleared_its_environment_is_found_by_a_server(tmp_path: Path) -> None:
    code = (
        SERVER
        + """
    keep = subprocess.Popen(["sleep", "600"])        # the server's own, in its session
    daemon = "env -i /usr/bin/setsid -f /bin/sh -c 'echo $$ > pid; exec sleep 600'"
    run(daemon + "; until [ -s pid ]; do sleep 0.01; done", "r1")
    pid = int((root / "pid").read_text())
    print(os.path.exists(f"/proc/{pid}"), [found for found in children() if found[0] != keep.pid], keep.poll())
    keep.kill(); keep.wait()
    """
    )
    server = start_python(code, ROOT=str(tmp_path))
    out, _ = server.communicate(timeout=30)
    assert out == "False [] None\n"


def test_no_zombies_stay_with_a_server(tmp_path: Path) -> None:
    code = (
        SERVER
        + """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: run("(setsid true &) ; (setsid sleep 600 &) ; true", f"r{number}"), range(20)))
    from tasks.sandbox import leftovers
    leftovers._last_full_look = 0.0
    run("true", "last")
    print(children())
    """
    )
    server = start_python(code, ROOT=str(tmp_path))
    out, _ = server.communicate(timeout=30)
    assert out == "[]\n"


def test_exit_codes_survive_runs_beside_each_other_in_a_server(tmp_path: Path) -> None:
    code = (
        SERVER
        + """
    from concurrent.futures import ThreadPoolExecutor
    from tasks.sandbox import leftovers
    leftovers.NUMBERS_IN_ORDER_SECONDS = 0.0         # each end looks at everything, and reaps
    with ThreadPoolExecutor(6) as pool:
        results = pool.map(lambda number: run(f"exit {number}", f"r{number}").exit_code, range(120))
        print(list(results) == list(range(120)))
    """
    )
    server = start_python(code, ROOT=str(tmp_path))
    out, _ = server.communicate(timeout=30)
    assert out == "True\n"
