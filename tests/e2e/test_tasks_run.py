"""Tasks of each type run on time and leave evidence, whatever runs beside them."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Any

import pytest

from tests.server import Server, wait_until

WITHOUT_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
SCRIPT = "import sys, time\nopen(sys.argv[1], 'a').write(f'{time.time()}\\n')\n"
TEST = (
    "import time\n"
    "def test_evidence():\n    open('test.log', 'a').write(f'{time.time()}\\n')\n"
    "def test_fails():\n    assert 1 == 2\n"
)


@pytest.fixture
def server(reused: Server) -> Server:
    """Return the one server of this file."""
    return reused


def define_four(server: Server, interval: str) -> list[str]:
    """Create one task of each type; each appends the time to a file of its name."""
    (server.workspace / "script.py").write_text(SCRIPT)
    (server.workspace / "test_it.py").write_text(TEST)
    server.ok("create", task_id="command", type="command", interval=interval, command="date +%s.%N >> command.log")
    server.ok("create", task_id="script", type="script", interval=interval, file_path="script.py", args=["script.log"])
    code = "import time; open('custom.log', 'a').write(f'{time.time()}\\n')"
    server.ok("create", task_id="custom", type="custom", interval=interval, custom_script=code)
    server.ok("create", task_id="test", type="test", interval=interval, file_path="test_it.py", env=WITHOUT_PLUGINS)
    return ["command", "script", "custom", "test"]


def evidence(server: Server, task_id: str) -> list[float]:
    """Return the moments that a task wrote down."""
    path = server.workspace / f"{task_id}.log"
    return [float(line) for line in path.read_text().split()] if path.exists() else []


def watch_four(server: Server, seconds: float) -> None:
    """Let four tasks and a slow one run for a while; every fire time has its row, and every run its evidence."""
    names = define_four(server, "every 2 seconds")
    server.ok("create", task_id="slow", type="command", interval="every 3 seconds", command="sleep 3")
    server.ok("start")
    answers, ended = [], time.monotonic() + seconds
    while time.monotonic() < ended or not all(evidence(server, name) for name in names):
        began = time.monotonic()
        server.ok("status")
        answers.append(time.monotonic() - began)
        time.sleep(0.1)
    server.ok("stop")
    wait_until(lambda: not server.ok("status")["running"], what="the end of all runs")
    lateness = []
    for name in names:
        rows = server.runs(task_id=name)
        assert sum(row.get("count") or 1 for row in rows) >= seconds / 2 - 1
        ran = [row for row in rows if row["status"] != "skipped"]  # a run that takes long keeps the next from starting
        assert len(evidence(server, name)) == len(ran)
        assert {row["status"] for row in ran} == {"failed" if name == "test" else "completed"}
        lateness += [row["lateness_ms"] for row in ran]
        times = [row["scheduled_for"] for row in rows]
        assert len(set(times)) == len(times)
    assert min(lateness) < 1000
    assert statistics.median(answers) < 2


@pytest.mark.soak
def test_four_types_leave_evidence_beside_a_slow_one(server: Server) -> None:
    watch_four(server, 7)


@pytest.mark.soak
def test_four_types_leave_evidence_for_twenty_seconds(make_server: Any) -> None:
    watch_four(make_server(), 21)


def test_a_run_tells_what_it_printed_and_how_it_ended(server: Server) -> None:
    def run(**task: Any) -> dict[str, Any]:
        server.ok("create", task_id="one", interval="every 1 hour", replace=True, **task)
        return dict(server.ok("run_now", task_id="one", wait=True)["run"])

    done = run(type="command", command="echo out; echo err >&2; echo $1; exit 3", args=["an argument"])
    assert (done["status"], done["exit_code"], done["signal"]) == ("failed", 3, None)
    assert (done["stdout"], done["stderr"]) == ("out\nan argument\n", "err\n")
    killed = run(type="command", command="kill -SEGV $$")
    assert (killed["status"], killed["signal"]) == ("failed", "SIGSEGV")
    late = run(
        type="custom", custom_script="import time; print('begun', flush=True); time.sleep(60)", timeout_seconds=3
    )
    assert (late["status"], late["stdout"]) == ("timeout", "begun\n")
    (server.workspace / "test_it.py").write_text(TEST)
    tests = run(type="test", file_path="test_it.py", env=WITHOUT_PLUGINS)
    assert tests["status"] == "failed"
    assert tests["tests"] == {
        "passed": 1, "failed": 1, "errors": 0, "skipped": 0, "failing": ["test_it.py::test_fails"],
    }  # fmt: skip


def test_a_run_sees_its_own_environment_and_nothing_of_the_servers(server: Server) -> None:
    server.ok("create", task_id="env", type="command", interval="every 1 hour", command="env", env={"MINE": "yes"})
    run = server.ok("run_now", task_id="env", wait=True)["run"]
    seen = dict(line.split("=", 1) for line in run["stdout"].splitlines())
    assert seen["MINE"] == "yes"
    assert (seen["SCHEDULER_TASK_ID"], seen["SCHEDULER_RUN_ID"]) == ("env", run["run_id"])
    assert seen["SCHEDULER_ATTEMPT"] == "1"
    assert not [name for name in seen if name in ("SCHEDULER_PORT", "SCHEDULER_DATA_DIR", "SCHEDULER_TOKEN")]


@pytest.mark.soak
def test_cancel_ends_the_whole_tree(server: Server) -> None:
    command = "setsid sh -c 'trap \"\" TERM; echo $$ > deep.pid; sleep 1000' & echo $$ > top.pid; wait"
    server.ok("create", task_id="tree", type="command", interval="every 1 hour", command=command)
    run_id = server.ok("run_now", task_id="tree")["run_id"]
    pids = wait_until(lambda: _pids(server), what="both processes")
    answer = server.ok("cancel", run_id=run_id)
    assert answer["cancelled"] == [run_id]
    assert not [pid for pid in pids if _alive(pid)]
    assert server.ok("cancel", run_id=run_id)["status"] == "info"


def _pids(server: Server) -> list[int]:
    files = [server.workspace / name for name in ("deep.pid", "top.pid")]
    texts = [file.read_text() for file in files if file.exists()]
    return [int(text) for text in texts] if len(texts) == 2 and all(texts) else []


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.soak
def test_priorities_decide_who_goes_first(make_server: Any) -> None:
    server = make_server(SCHEDULER_MAX_WORKERS="1")
    server.ok(
        "create",
        task_id="block",
        type="command",
        interval="every 1 hour",
        command="until [ -e go ]; do sleep 0.05; done",
    )
    for level in ("low", "medium", "high", "urgent"):
        command = f"echo {level} >> order.log"
        server.ok("create", task_id=level, type="command", interval="every 1 hour", command=command, priority=level)
    server.ok("run_now", task_id="block")
    wait_until(lambda: server.ok("status")["running"])
    waits = [
        threading.Thread(target=server.post, args=("run_now",), kwargs={"task_id": level, "wait": True})
        for level in ("low", "medium", "high", "urgent")
    ]
    for wait in waits:
        wait.start()
    wait_until(lambda: server.ok("status")["queue"]["waiting"] == 4, what="four waiting runs")
    (server.workspace / "go").touch()
    for wait in waits:
        wait.join()
    assert (server.workspace / "order.log").read_text().split() == ["urgent", "high", "medium", "low"]


def test_a_fire_time_that_finds_its_task_running_leaves_a_row(server: Server) -> None:
    server.ok("create", task_id="long", type="command", interval="every 1 second", command="sleep 2.5")
    server.ok("start")
    skipped = wait_until(lambda: server.runs(task_id="long", run_status="skipped"), what="a skipped row")
    assert "max_instances" in skipped[0]["reason"]
    assert skipped[0]["started_at"] is None


def test_a_task_tells_who_created_it(server: Server) -> None:
    server.ok("create", task_id="mine", type="command", interval="every 1 hour", command="true")
    assert server.ok("get", task_id="mine")["task"]["details"]["created_by"] == "127.0.0.1"
    code = f"""
import json, urllib.request
body = json.dumps({{"action": "create", "task_id": "child", "type": "command", "interval": "daily at 2:00",
                   "command": "true"}}).encode()
request = urllib.request.Request("{server.url}/schedule", body, {{"Content-Type": "application/json"}})
print(urllib.request.urlopen(request).status)
"""
    server.ok("create", task_id="parent", type="custom", interval="every 1 hour", custom_script=code)
    run = server.ok("run_now", task_id="parent", wait=True)["run"]
    assert run["stdout"] == "200\n", run
    assert server.ok("get", task_id="child")["task"]["details"]["created_by"] == f"run {run['run_id']}"
