"""Use the service: token, tasks, restart, stop."""

from __future__ import annotations

import time
from pathlib import Path

from check_dockerfile.container import Container
from check_dockerfile.failure import Failure, Report
from check_dockerfile.image import Image


def expect(what: str, found: object, wanted: object) -> None:
    """Fail where two values differ."""
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


def try_service(image: Image, folder: Path, log: Report) -> None:
    """Start the service, use it, stop it, and start it again."""
    box = Container(image, folder)
    try:
        expect("HEALTHCHECK without a service", box.healthy(), 1)
        log.line(f"HEALTHCHECK content {box.start():.1f} s after the start")
        token = find_token(box, image)
        use_service(box, token, image, log)
        seconds, code = box.stop()
        expect("exit code after the stop signal", code, 0)
        log.line(f"{image.stop_signal} ended the idle service in {seconds:.1f} s")
        written = len(box.log())
        box.start()
        expect("token shown again", token in box.log()[written:], False)
        expect("state after a restart", box.post(token, action="status")[1].get("state"), "running")
        expect("tasks after a restart", box.post(token, action="list")[1].get("count"), 4)
        box.post(token, action="run_now", task_id="long")
        time.sleep(0.5)
        seconds, code = box.stop()
        expect("exit code with a run under way", code, 0)
        log.line(f"{image.stop_signal} ended the service with a run under way in {seconds:.1f} s")
        expect("HEALTHCHECK after the end", box.healthy(), 1)
        box.start()
        runs = box.post(token, action="runs", task_id="long")[1]["runs"]
        expect("status of the run that was cut off", [run["status"] for run in runs], ["interrupted"])
        box.stop()
        expect("tini is process 1", "not running as PID 1" in box.log(), False)
    finally:
        box.kill()


def find_token(box: Container, image: Image) -> str:
    """Return the token that was made, shown once, and kept."""
    status, answer = box.post(action="status")
    expect("status without a token", (status, answer.get("code")), (401, "unauthorized"))
    data = Path(box.mounts[box.mounts.index(image.env["SCHEDULER_DATA_DIR"]) - 1])
    kept = data / "token"
    token = kept.read_text().strip()
    expect("mode of the token", oct(kept.stat().st_mode & 0o777), "0o600")
    expect("owner of the token", kept.stat().st_uid, int(image.user.partition(":")[0]))
    expect("token shown in the log", box.log().count(token), 1)
    return token


CONFINED = """
import os
assert os.statvfs("/").f_flag & os.ST_RDONLY, "the root can be written"
status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines())
assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1", status
assert not os.access("/opt/scheduler/bin", os.W_OK)
"""
"""A task that proves the try to be what it says: no privileges, and a root that cannot be written."""


def use_service(box: Container, token: str, image: Image, log: Report) -> None:
    """Create tasks, see one run by itself, and one of each other kind run when asked."""
    status, answer = box.post(token, action="status")
    expect("status with the token", (status, answer.get("status")), (200, "success"))
    expect("warnings", answer.get("warnings"), [])
    tasks = {
        "tick": {"type": "command", "interval": "every 1 second", "command": "id -u; pwd; tee tick.txt < /dev/null"},
        "code": {"type": "custom", "interval": "daily", "custom_script": CONFINED},
        "tests": {"type": "test", "interval": "daily", "file_path": "test_it.py"},
        "long": {"type": "command", "interval": "daily", "command": "trap '' TERM; sleep 60"},
    }
    workspace = Path(box.mounts[box.mounts.index("/workspace") - 1])
    (workspace / "test_it.py").write_text("def test_it():\n    assert True\n")
    for task_id, task in tasks.items():
        expect(f"create {task_id}", box.post(token, action="create", task_id=task_id, **task)[1]["status"], "success")
    expect("start", box.post(token, action="start")[1]["message"], "Scheduler started")
    run = wait_for_run(box, token, "tick")
    expect("output of a command", run["stdout"], f"{image.user.partition(':')[0]}\n/workspace\n")
    for task_id in ("code", "tests"):
        done = box.post(token, action="run_now", task_id=task_id, wait=True)[1]["run"]
        expect(f"status of {task_id}: {done}", done["status"], "completed")
    log.line(f"tasks run as uid {image.user.partition(':')[0]}, the first {run['lateness_ms']:.1f} ms after its time")


def wait_for_run(box: Container, token: str, task_id: str) -> dict[str, object]:
    """Return the first run of a task that has completed."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = box.post(token, action="runs", task_id=task_id, run_status="completed")[1].get("runs")
        if found:
            return found[-1]
        time.sleep(0.1)
    raise Failure(f"'{task_id}' did not run: {box.post(token, action='runs', task_id=task_id)[1]}")
