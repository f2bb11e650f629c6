"""A run is one process tree: started, heard, and ended whole."""

from __future__ import annotations

import os
import resource
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks import CommandTask, CustomTask, TaskResult
from tasks.sandbox import Cancellation, OutputText, kill_leftovers, open_sandbox, read_output
from tasks.sandbox.outcome import Ending, result_of

TEN_MINUTES = "sleep 600"
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
with open('pid', 'w') as file: file.write(str(os.getpid()))
os.rename('pid', sys.argv[1])
time.sleep(600)
"""


def test_standard_input_is_empty(place: Any) -> None:
    place.sh("cat; readlink /proc/self/fd/0")
    assert place.out == "/dev/null\n"


def test_no_descriptor_is_inherited(place: Any) -> None:
    with open(os.devnull) as file:
        os.set_inheritable(file.fileno(), True)
        place.sh("ls /proc/self/fd | wc -w")
    assert place.out == "4\n"  # 0, 1, 2, and that of ls


def test_mask_and_directory(place: Any) -> None:
    (place.workspace / "sub").mkdir()
    place.sh("umask; pwd", working_directory="sub")
    assert place.out == f"0022\n{place.workspace}/sub\n"


def test_both_streams_are_kept_apart(place: Any) -> None:
    result = place.sh("echo one; echo two >&2")
    assert (place.out, place.err) == ("one\n", "two\n")
    assert result.sandbox == {"level": "none"}
    assert result.usage is not None
    assert 0 < result.usage["cpu_seconds"] < 5


def test_no_files_for_no_output(place: Any) -> None:
    place.sh("true")
    assert not place.log_dir.exists()


def test_timeout_asks_first(place: Any) -> None:
    result = place.sh("trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done", timeout_seconds=0.3)
    assert (result.status, result.reason) == ("timeout", "timed out after 0.3 s")
    assert (result.exit_code, result.signal, place.out) == (0, None, "asked\n")


def test_timeout_kills_what_does_not_listen(place: Any) -> None:
    started = time.monotonic()
    result = place.sh(STUBBORN, timeout_seconds=0.3, grace_seconds=0.3)
    assert (result.status, result.signal) == ("timeout", "SIGKILL")
    assert 0.6 <= time.monotonic() - started < 3


def test_the_whole_tree_gets_the_time_of_grace(place: Any) -> None:
    child = "trap 'sleep 0.2; echo tidied > tidied; exit' TERM; echo up > up; while :; do sleep 0.02; done"
    result = place.sh(f'(setsid sh -c "{child}" &) ; sleep 600', timeout_seconds=0.6)
    assert result.status == "timeout"
    assert place.read("tidied") == "tidied\n"


def test_cancel_wakes_at_once(place: Any, background: Any, until: Any) -> None:
    run = background(f"echo up; {TEN_MINUTES}")
    until(lambda: place.out == "up\n")
    started = time.monotonic()
    run.cancellation.cancel("asked by a test")
    run.cancellation.cancel("a second reason")
    result = run.join()
    assert time.monotonic() - started < 1
    assert (result.status, result.reason, result.signal) == ("cancelled", "asked by a test", "SIGTERM")


def test_cancelled_before_the_start_never_starts(place: Any) -> None:
    cancellation = Cancellation()
    cancellation.cancel("too late")
    result = place.run(CommandTask(command="touch started"), cancellation)
    assert result == TaskResult("cancelled", None, None, "too late")
    assert not (place.workspace / "started").exists()


def test_cancel_at_any_moment_ends_in_one_of_two_ways(place: Any) -> None:
    seen = set()
    for number in range(40):
        cancellation = Cancellation()
        timer = threading.Timer(number * 0.0002, cancellation.cancel, ["race"])
        timer.start()
        result = place.run(CommandTask(command="true"), cancellation)
        timer.join()
        seen.add((result.status, result.reason))
    assert seen <= {("completed", None), ("cancelled", "race")}


def test_a_daemon_does_not_outlive_the_run(place: Any, until: Any, is_alive: Any) -> None:
    place.write("daemon.py", DAEMON)
    result = place.sh("python3 daemon.py there </dev/null >/dev/null 2>&1; until [ -e there ]; do sleep 0.01; done")
    assert result.status == "completed"
    assert not is_alive(place.read("there"))


def test_a_daemon_dies_with_a_cancelled_run(place: Any, background: Any, until: Any, is_alive: Any) -> None:
    place.write("daemon.py", DAEMON)
    run = background(f"python3 daemon.py there; {TEN_MINUTES}")
    until(lambda: place.read("there"))
    assert is_alive(place.read("there"))
    run.cancellation.cancel("enough")
    assert run.join().status == "cancelled"
    assert not is_alive(place.read("there"))


def test_holding_the_pipe_does_not_hold_the_run(place: Any, is_alive: Any) -> None:
    started = time.monotonic()
    result = place.sh("sleep 600 & echo $! > pid; setsid sleep 600 & echo done")
    assert (result.status, place.out) == ("completed", "done\n")
    assert time.monotonic() - started < 3
    assert not is_alive(place.read("pid"))


def test_stopped_and_stubborn_children_end(place: Any, background: Any, until: Any, is_alive: Any) -> None:
    run = background(
        f"(sleep 600 & p=$!; kill -STOP $p; echo $p > stopped); ({STUBBORN}) & echo $! > stubborn; wait",
        grace_seconds=0.3,
    )
    until(lambda: place.read("stopped") and "ready" in place.out)
    run.cancellation.cancel("enough")
    assert run.join().status == "cancelled"
    assert not is_alive(place.read("stopped"))
    assert not is_alive(place.read("stubborn"))


def test_children_that_fork_all_the_time_end(place: Any, is_alive: Any) -> None:
    code = (
        "import os, sys\n"
        "if os.fork(): os._exit(0)\n"
        "for _ in range(300):\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    open('pids', 'a').write(f'{os.getpid()}\\n')\n"
    )
    assert place.run(CustomTask(custom_script=code)).status == "completed"
    before = place.read("pids")
    time.sleep(0.1)
    assert place.read("pids") == before


def test_flood_is_cut_and_told(place: Any) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = place.sh("yes 0123456789abcde | head -c 52428800; echo last; echo err >&2", timeout_seconds=60)
    assert (result.status, result.truncated) == ("completed", True)
    text, total, truncated = read_output(place.log_dir, place.last_id, "stdout")
    assert (total, truncated) == (52428805, True)
    assert "\n[51380229 bytes cut]\n" in text
    assert text.endswith("abcde\nlast\n")
    assert place.err == "err\n"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 16 * 1024


def test_output_reads_while_the_run_goes_on(place: Any, background: Any, until: Any) -> None:
    background("echo first; until [ -e go ]; do sleep 0.01; done; echo second; sleep 600")
    until(lambda: place.out == "first\n")
    place.write("go", "")
    expected = OutputText("second\n", 13, False)
    until(lambda: read_output(place.log_dir, place.last_id, "stdout", offset=6) == expected)


def test_output_that_cannot_be_kept_is_told(place: Any) -> None:
    place.log_dir.write_text("a file where a directory should be")
    result = place.sh("yes | head -c 1000000")
    assert result.status == "completed"
    assert "Not all output could be kept" in (result.hint or "")


def test_missing_working_directory(place: Any) -> None:
    result = place.sh("true", working_directory="gone")
    assert (result.status, result.exit_code) == ("failed", None)
    assert "working_directory 'gone' does not exist" in (result.reason or "")
    place.write("file", "")
    assert "is no directory" in (place.sh("true", working_directory="file").reason or "")
    assert "outside" in (place.sh("true", working_directory="/").reason or "")


def test_program_that_cannot_be_started(place: Any) -> None:
    with open_sandbox(place.spec(), Cancellation()) as sandbox:
        result = sandbox.run(["/no/such/program"])
    assert (result.status, result.exit_code) == ("failed", None)
    assert "'/no/such/program' cannot be started" in (result.reason or "")


def test_the_longest_timeout(place: Any) -> None:
    """It has more milliseconds than poll() takes."""
    assert place.sh("echo ran", timeout_seconds=31 * 86400.0).status == "completed"
    assert place.out == "ran\n"


def test_too_large_an_environment(place: Any) -> None:
    result = place.sh("true", env={f"V{number}": "x" * 100_000 for number in range(40)})
    assert result.status == "failed"
    assert "too long" in (result.reason or "")


def test_private_directory_that_cannot_be_made(place: Any) -> None:
    place.tmp_root.write_text("a file")
    result = place.sh("true")
    assert result.status == "failed"
    assert "private directory could not be made" in (result.reason or "")
    assert "could not be prepared" in (place.run(CustomTask(custom_script="1")).reason or "")


def test_private_directory_is_fresh_and_private(place: Any) -> None:
    script = 'stat -c %a "$TMPDIR"; ls -A "$TMPDIR"; mkdir -p "$TMPDIR/a/b"; chmod 0 "$TMPDIR/a"'
    for _ in range(3):
        place.sh(script)
        assert place.out == "700\n"
        assert not (place.tmp_root / place.last_id).exists()


def test_changed_private_directory_is_not_used_again(place: Any) -> None:
    place.sh('chmod 755 "$TMPDIR"')
    place.sh('stat -c %a "$TMPDIR"; ls -A "$TMPDIR"')
    assert place.out == "700\n"


def test_deep_private_directory_is_removed(place: Any) -> None:
    code = "import os\nos.chdir(os.environ['TMPDIR'])\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')\n"
    assert place.run(CustomTask(custom_script=code)).status == "completed"
    assert list(Path(place.tmp_root).glob("run-*")) == []


def test_many_runs_at_once_are_kept_apart(place: Any) -> None:
    specs = [place.spec() for _ in range(48)]
    results: dict[str, TaskResult] = {}

    def work() -> None:
        while specs:
            spec = specs.pop()
            with open_sandbox(spec, Cancellation()) as sandbox:
                command = f"echo {spec.run_id}; (setsid sleep 600 &); exit {len(spec.run_id)}"
                results[spec.run_id] = CommandTask(command=command).run(sandbox)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 48
    assert kill_leftovers(results) == 0
    for run_id, result in results.items():
        assert result.exit_code == len(run_id)
        assert read_output(place.log_dir, run_id, "stdout").text == f"{run_id}\n"


def test_nothing_is_left_open(place: Any) -> None:
    place.sh("true")
    before = len(os.listdir("/proc/self/fd"))
    for command in ("true", "echo x; sleep 600 &", "exit 3"):
        place.sh(command)
    place.sh("sleep 5", timeout_seconds=0.05)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("seconds", [0.5, 300.0, 90.25])
def test_timeout_is_told_in_plain_numbers(place: Any, seconds: float) -> None:
    result = result_of(replace(Ending(None, "timeout"), timeout_seconds=seconds))
    assert result.reason == f"timed out after {seconds:g} s"
