"""A run's supervisor keeps its clock and limits, and ends its whole tree whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks import CommandTask, CustomTask, TaskResult
from tasks.sandbox import Cancellation, SandboxRequest, open_sandbox, read_output

DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.closerange(0, 64)
with open('pid', 'w') as file: file.write(str(os.getpid()))
os.rename('pid', 'there')
time.sleep(600)
"""
ESCAPES = {
    "daemon": 'python3 -c "$DAEMON"; until [ -e there ]; do sleep 0.01; done',
    "daemon without environment": ('env -i PATH=$PATH python3 -c "$DAEMON"; until [ -e there ]; do sleep 0.01; done'),
    "holding the pipe": "sleep 600 & echo $! > there",
    "another session": "setsid sh -c 'echo $$ > there; exec sleep 600' & until [ -s there ]; do sleep 0.01; done",
    "deaf": (
        "(trap '' TERM HUP INT; sh -c 'echo $PPID' > there; while :; do sleep 0.05; done) & "
        "until [ -s there ]; do sleep 0.01; done"
    ),
    "stopped": "sleep 600 & kill -STOP $!; echo $! > there",
}


def is_alive(pid: int | str) -> bool:
    try:
        stat = Path(f"/proc/{int(pid)}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def pid_of(ground: Any) -> str:
    return str((ground.workspace / "there").read_text())


class Background:
    """A run that goes on in a thread."""

    def __init__(self, ground: Any, command: str, **changes: Any) -> None:
        self.cancellation = Cancellation()
        self.results: list[TaskResult] = []
        task = CommandTask(command=command)
        spec = ground.spec(**changes)

        def work() -> None:
            with open_sandbox(spec, self.cancellation, ground.confinement) as sandbox:
                self.results.append(task.run(sandbox))

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def join(self) -> TaskResult:
        self.thread.join(20)
        return self.results[0]


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_outlives_a_run(name: str, ground: Any) -> None:
    started = time.monotonic()
    result = ground.sh(ESCAPES[name], env={"DAEMON": DAEMON})
    assert result.status == "completed", ground.err
    assert not is_alive(pid_of(ground))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_outlives_a_cancelled_run(name: str, ground: Any) -> None:
    run = Background(ground, f"{ESCAPES[name]}; sleep 600", env={"DAEMON": DAEMON})
    until(lambda: (ground.workspace / "there").exists() and pid_of(ground).strip())
    assert is_alive(pid_of(ground))
    run.cancellation.cancel("enough")
    result = run.join()
    assert (result.status, result.reason) == ("cancelled", "enough")
    assert not is_alive(pid_of(ground))


@pytest.mark.parametrize("name", ["daemon", "deaf", "stopped"])
def test_nothing_outlives_a_timeout(name: str, ground: Any) -> None:
    result = ground.sh(f"{ESCAPES[name]}; sleep 600", env={"DAEMON": DAEMON}, timeout_seconds=1.0)
    assert (result.status, result.reason) == ("timeout", "timed out after 1 s")
    assert not is_alive(pid_of(ground))


def test_grace_is_for_all(ground: Any) -> None:
    child = "trap 'sleep 0.2; echo tidied > tidied; exit' TERM; echo up > up; while :; do sleep 0.02; done"
    ground.sh(f'(setsid sh -c "{child}" &) ; sleep 600', timeout_seconds=0.8, grace_seconds=3.0)
    assert (ground.workspace / "tidied").read_text() == "tidied\n"


SERVER = """
    import os, sys, threading
    from pathlib import Path
    from tasks import CommandTask
    from tasks.sandbox import AllowedDirs, Cancellation, RunSpec, make_confinement, open_sandbox

    root = Path(sys.argv[1])
    allowed = AllowedDirs([root / "workspace"])
    confinement = make_confinement("auto", allowed, [], "all", "auto", root / "data")
    if sys.argv[2] == "single":
        confinement.launcher.fork = lambda fds: False
    env, data = {"DAEMON": sys.argv[4]}, root / "data"
    spec = RunSpec("r", "t", "2026", 1, "UTC", allowed, None, env, 60, data / "log", data / "tmp")
    with open_sandbox(spec, Cancellation(), confinement) as sandbox:
        CommandTask(command=sys.argv[3]).run(sandbox)
"""


@pytest.mark.parametrize("way", ["fork-server", "single"])
@pytest.mark.parametrize("name", ["daemon", "deaf"])
def test_nothing_outlives_the_server(way: str, name: str, ground: Any) -> None:
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *(part for part in sys.path if part.endswith("site-packages"))])
    command = [sys.executable, "-c", textwrap.dedent(SERVER), str(ground.root), way]
    server = subprocess.Popen(
        [*command, f"echo $$ > main; {ESCAPES[name]}; sleep 600", DAEMON],
        env={"PYTHONPATH": path, "TMPDIR": str(ground.root)},
    )
    until(lambda: (ground.workspace / "there").exists() and pid_of(ground).strip())
    server.send_signal(signal.SIGKILL)
    server.wait()
    until(lambda: not is_alive(pid_of(ground)))
    until(lambda: not is_alive((ground.workspace / "main").read_text()))


def test_fork_server_that_dies_is_started_anew(ground: Any) -> None:
    launcher = ground.confinement.launcher
    launcher._zygote.kill()
    launcher._zygote.wait()
    for _ in range(3):
        assert ground.sh("echo x").status == "completed"
    assert launcher.restarts == 1
    assert ground.confinement.describe()["start"] == "fork-server"


def test_runs_go_on_without_a_fork_server(ground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = ground.confinement.launcher
    monkeypatch.setattr(launcher, "_start_zygote", lambda: None)
    launcher._zygote.kill()
    launcher._zygote.wait()
    result = ground.sh("cat /etc/shadow || echo held")
    assert (result.status, ground.out) == ("completed", "held\n")
    assert ground.confinement.describe()["start"] == "single"
    assert ground.sh("setsid sleep 600 & exit 3").exit_code == 3


def test_fork_server_that_takes_requests_and_does_nothing(ground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground.confinement.launcher, "fork", lambda fds: True)
    assert ground.sh("echo x").status == "completed"
    assert ground.out == "x\n"


def test_supervisor_that_dies_takes_the_run_along(ground: Any) -> None:
    run = Background(ground, "echo $PPID > supervisor; setsid sleep 600 & echo $! > there; sleep 600")
    until(lambda: (ground.workspace / "there").exists() and pid_of(ground).strip())
    os.kill(int((ground.workspace / "supervisor").read_text()), signal.SIGKILL)
    result = run.join()
    assert (result.status, result.reason) == ("failed", "sandbox: its supervisor died")
    until(lambda: not is_alive(pid_of(ground)))


def supervisor_of(ground: Any, command: str = "true", **changes: Any) -> int:
    ground.sh(f"echo $PPID; {command}", **changes)
    return int(ground.out.splitlines()[0])


def test_a_supervisor_carries_out_one_short_run_after_the_other(ground: Any) -> None:
    seen = [supervisor_of(ground) for _ in range(20)]
    assert len(set(seen)) < len(seen)  # on a busy machine some may take too long for it


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("sleep 0.2", {}),
        ("sleep 60", {"timeout_seconds": 0.3}),
        ("sleep 60", {"request": SandboxRequest(cpu_seconds=0.1), "timeout_seconds": 0.3}),
    ],
)
def test_a_supervisor_that_had_to_do_something_goes_with_its_run(
    command: str, changes: dict[str, Any], ground: Any
) -> None:
    pid = supervisor_of(ground, command, **changes)
    until(lambda: not is_alive(pid))
    assert supervisor_of(ground) != pid


def test_a_cancelled_run_takes_its_supervisor_along(ground: Any) -> None:
    run = Background(ground, "echo $PPID > there; sleep 60")
    until(lambda: (ground.workspace / "there").exists() and pid_of(ground).strip())
    run.cancellation.cancel("enough")
    run.join()
    until(lambda: not is_alive(pid_of(ground)))


def test_a_waiting_supervisor_that_died_is_passed_over(ground: Any) -> None:
    for _ in range(3):
        os.kill(waiting_supervisor(ground), signal.SIGKILL)
        assert ground.sh("echo x").status == "completed"
    assert ground.confinement.launcher.restarts == 0


def test_waiting_supervisors_end_with_the_server(ground: Any) -> None:
    pid = waiting_supervisor(ground)
    ground.confinement.close()
    until(lambda: not is_alive(pid))


def waiting_supervisor(ground: Any) -> int:
    """Run until a supervisor waits for more, and return its number."""
    for _ in range(200):
        pid = supervisor_of(ground)
        if ground.confinement.launcher._idle:
            return pid
    raise AssertionError("every run took too long for its supervisor to wait for another")


BOUNDS = """
    echo $PPID; ulimit -d; ulimit -t; umask; pwd; ls -A; cd; ls -A
    while read -r line; do case $line in Uid*|Groups*|Cap*|NoNew*|Seccomp*) echo $line;; esac; done < /proc/self/status
"""


def test_nothing_of_a_run_stays_for_the_next(ground: Any) -> None:
    narrow = SandboxRequest(memory_mb=64, cpu_seconds=30, network="none", write=[])
    shared = False
    for _ in range(20):
        texts = []
        for request in (None, narrow, None):
            result = ground.sh(BOUNDS, request=request)
            assert result.usage is not None
            assert result.usage["cpu_seconds"] < 0.1  # not what all its supervisor's runs used
            texts.append(ground.out)
        supervisors, (first, between, last) = zip(*(text.split("\n", 1) for text in texts), strict=True)
        assert first == last != between
        shared = shared or len(set(supervisors)) == 1
    assert shared, "no three runs had one supervisor, so this has proved nothing"


OF_THE_C_LIBRARY = 1 << 31 | 1 << 32
"""The bits of two signals that it keeps to itself."""


@pytest.mark.parametrize("request_", [None, SandboxRequest(memory_mb=64)])
def test_a_run_starts_with_no_signal_ignored_or_blocked(request_: SandboxRequest | None, ground: Any) -> None:
    command = "while read -r line; do case $line in SigIgn*|SigBlk*) echo $line;; esac; done < /proc/self/status"
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)  # as a shell does for what it starts in the background
    try:
        ground.confine()
        for _ in range(2):
            assert ground.sh(command, request=request_).status == "completed"
            told = [int(line.split()[1], 16) & ~OF_THE_C_LIBRARY for line in ground.out.splitlines()]
            assert told == [0, 0]
    finally:
        signal.signal(signal.SIGQUIT, before)


def test_a_run_cannot_end_its_supervisor(ground: Any) -> None:
    result = ground.sh("kill -9 $PPID; echo still here")
    assert (result.status, ground.out) == ("completed", "still here\n")


SHARE = """
import mmap, time
m = mmap.mmap(-1, 400 << 20)
for start in range(0, len(m), 4 << 20):
    m[start:start + (4 << 20)] = bytes(4 << 20)
    time.sleep(0.005)
time.sleep(1)
"""


def test_shared_memory_is_bounded(ground: Any) -> None:
    result = ground.python(SHARE, request=SandboxRequest(memory_mb=128))
    assert (result.status, result.signal) == ("failed", "SIGKILL")
    assert result.reason == "used more than 128 MB of memory"
    assert ground.python(SHARE).status == "completed"
    assert result.usage is not None
    assert result.usage["peak_memory_mb"] > 120


def test_what_one_process_reserves_is_bounded(ground: Any) -> None:
    code = "x = bytearray(1200 << 20)"
    result = ground.python(code, request=SandboxRequest(memory_mb=128))
    assert result.exit_code == 1
    assert "MemoryError" in ground.err
    assert "`sandbox.memory_mb` asks for that" in (result.hint or "")
    assert ground.python(code).status == "completed"


def test_own_memory_is_bounded(ground: Any) -> None:
    code = "import time; x = bytearray(b'x') * (200 << 20); time.sleep(0.5)"
    result = ground.python(code, request=SandboxRequest(memory_mb=128))
    assert (result.status, result.reason) == ("failed", "used more than 128 MB of memory")
    assert ground.python(code).status == "completed"


@pytest.mark.skipif(os.geteuid() != 0, reason="runs have a user who has more than runs")
def test_files_of_shared_memory_go_with_the_last_run(ground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sandbox.run_user.TASK_USER", 60200)  # no other server's runs have that one
    ground.confine()
    left = Path(f"/dev/shm/left-by-{ground.spec().run_id}")
    foreign = Path(f"{left}-foreign")
    foreign.touch()
    other = Background(ground, "touch there; sleep 60")
    try:
        until(lambda: (ground.workspace / "there").exists())
        assert ground.sh(f"echo x > {left}").status == "completed"
        assert left.stat().st_uid == 60200
        other.cancellation.cancel("enough")
        other.join()
        assert not left.exists()
        assert foreign.exists()
    finally:
        other.cancellation.cancel("enough")
        other.join()
        foreign.unlink()
        left.unlink(missing_ok=True)


THREADS = """
import sys, threading
end = threading.Event()
threads = [threading.Thread(target=end.wait) for _ in range(int(sys.argv[1]))]
try:
    for thread in threads: thread.start()
finally:
    end.set()
"""


def test_threads_are_no_processes(ground: Any) -> None:
    after_a_look = "import time; time.sleep(0.3); x = bytearray(b'x') * (20 << 20)"
    code = f"{after_a_look}\n{THREADS.replace('end.set()', 'time.sleep(0.5); end.set()')}"
    result = ground.python(code, "50", request=SandboxRequest(memory_mb=256, processes=10))
    assert result.status == "completed", result
    assert result.usage is not None
    assert result.usage["processes"] == 1
    assert result.usage["peak_memory_mb"] < 100


def test_threads_that_sleep_cost_little_memory(ground: Any) -> None:
    assert ground.python(THREADS, "100", request=SandboxRequest(memory_mb=64)).status == "completed", ground.err
    result = ground.python(THREADS, "1000", request=SandboxRequest(memory_mb=64))
    assert "each may reserve 1088 MB, of which the stack of a thread" in (result.hint or ""), ground.err


def test_memory_that_children_share_counts_once(ground: Any) -> None:
    code = (
        "import os, time\n"
        "x = bytearray(60 << 20)\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0: time.sleep(0.6); os._exit(0)\n"
        "time.sleep(0.6)\n"
    )
    result = ground.python(code, request=SandboxRequest(memory_mb=128))
    assert result.status == "completed", result


def test_number_of_processes_is_bounded(ground: Any) -> None:
    command = "for i in $(seq 30); do sleep 1 & done; wait"
    result = ground.sh(command, request=SandboxRequest(processes=10))
    assert (result.status, result.reason) == ("failed", "had more than 10 processes")
    whole = ground.sh(command)
    assert whole.status == "completed"
    assert whole.usage is not None
    assert whole.usage["processes"] == 31


STORM = """
import os, sys, time
end, generations = time.monotonic() + 3, int(sys.argv[1])
while time.monotonic() < end and generations:
    generations -= 1
    try:
        if os.fork() == 0 and generations % 2: os.setsid()
    except BlockingIOError:
        time.sleep(0.01)
time.sleep(20)
"""


@pytest.mark.parametrize("generations", [8, pytest.param(10_000, marks=pytest.mark.soak)])
def test_a_storm_of_processes_is_ended(generations: int, ground: Any) -> None:
    started = time.monotonic()
    result = ground.python(STORM, str(generations), request=SandboxRequest(processes=40))
    assert result.reason == "had more than 40 processes", result
    assert time.monotonic() - started < 15
    left = [name for name in os.listdir("/proc") if name.isdecimal() and _runs_storm(name)]
    assert left == []


def _runs_storm(pid: str) -> bool:
    try:
        return b"generations % 2" in Path("/proc", pid, "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_processor_time_is_bounded_for_all_together(ground: Any) -> None:
    command = "for i in 1 2 3; do sh -c 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done'; done"
    result = ground.sh(command, request=SandboxRequest(cpu_seconds=0.3))
    assert (result.status, result.reason) == ("failed", "used more than 0.3 s of CPU time")


BURN = """
import os, signal, sys, time
def burn(seconds):
    if os.fork() == 0:
        while time.process_time() < seconds: pass
        os._exit(0)
"""
UNWAITED = f"""{BURN}
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(4):
    burn(0.3)
    try: os.wait()
    except ChildProcessError: pass
"""
ORPHAN = f"""{BURN}
ended, held = os.pipe()
if os.fork() == 0:
    burn(0.5)
    os._exit(0)
os.close(held)
os.wait()
os.read(ended, 1)
time.sleep(0.3)
"""
WAITED = f"{BURN}for _ in range(8): burn(0.05); os.wait()"


def test_processor_time_of_children_that_nobody_waits_for_is_bounded(ground: Any) -> None:
    result = ground.python(UNWAITED, request=SandboxRequest(cpu_seconds=0.5))
    assert (result.status, result.reason) == ("failed", "used more than 0.5 s of CPU time")
    assert result.usage is not None
    assert result.usage["cpu_seconds"] > 0.5


@pytest.mark.parametrize(("code", "least", "most"), [(UNWAITED, 0.4, 1.4), (ORPHAN, 0.4, 0.8), (WAITED, 0.3, 0.7)])
def test_processor_time_counts_once(code: str, least: float, most: float, ground: Any) -> None:
    result = ground.python(code, request=SandboxRequest(cpu_seconds=0.9) if code == ORPHAN else None)
    assert result.status == "completed", result
    assert result.usage is not None
    assert least < result.usage["cpu_seconds"] < most


def test_usage_is_told(ground: Any) -> None:
    result = ground.python("x = bytearray(50 << 20); import time; time.sleep(0.2)")
    assert result.usage is not None
    assert 0 < result.usage["cpu_seconds"] < 5
    assert 50 < result.usage["peak_memory_mb"] < 200
    assert result.usage["processes"] == 1


def test_flood_of_output_is_cut(ground: Any) -> None:
    result = ground.sh("yes 0123456789abcde | head -c 52428800", timeout_seconds=60)
    assert (result.status, result.truncated) == ("completed", True)
    assert read_output(ground.data_dir / "log", ground.last_id, "stdout").next_offset == 52428800


def test_programs_that_cannot_start(ground: Any) -> None:
    with open_sandbox(ground.spec(), Cancellation(), ground.confinement) as sandbox:
        result = sandbox.run(["/no/such/program"])
    assert (result.status, result.reason) == (
        "failed",
        "'/no/such/program' cannot be started: No such file or directory",
    )
    result = ground.sh("true", env={f"V{number}": "x" * 100_000 for number in range(40)})
    assert "Argument list too long" in (result.reason or "")


def test_exit_codes_and_signals(ground: Any) -> None:
    assert ground.sh("exit 125").exit_code == 125
    assert ground.sh("kill -SEGV $$").signal == "SIGSEGV"


def test_cancel_at_any_moment_ends_in_one_of_two_ways(ground: Any) -> None:
    seen = set()
    for number in range(60):
        cancellation = Cancellation()
        timer = threading.Timer(number * 0.0002, cancellation.cancel, ["race"])
        timer.start()
        result = ground.run(CommandTask(command="true"), cancellation)
        timer.join()
        seen.add((result.status, result.reason))
    assert seen <= {("completed", None), ("cancelled", "race")}


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's processes are closed to themselves before they start")
def test_a_run_is_taken_first_when_memory_runs_out(ground: Any) -> None:
    assert ground.sh("exec cat /proc/self/oom_score_adj").status == "completed"
    assert int(ground.out) >= 500


def test_what_cannot_be_encoded_is_a_failed_run(ground: Any) -> None:
    with open_sandbox(ground.spec(), Cancellation(), ground.confinement) as sandbox:
        result = sandbox.run(["/bin/echo", "\ud800"])
    assert (result.status, result.exit_code) == ("failed", None)


def test_many_runs_at_once(ground: Any) -> None:
    specs = [ground.spec() for _ in range(32)]
    results: dict[str, TaskResult] = {}

    def work() -> None:
        while specs:
            spec = specs.pop()
            with open_sandbox(spec, Cancellation(), ground.confinement) as sandbox:
                results[spec.run_id] = CommandTask(command=f"echo {spec.run_id}; exit {len(spec.run_id)}").run(sandbox)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 32
    for run_id, result in results.items():
        assert result.exit_code == len(run_id), result
        assert read_output(ground.data_dir / "log", run_id, "stdout").text == f"{run_id}\n"


def test_no_descriptor_is_inherited_and_none_is_left_open(ground: Any) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd")) - len(ground.confinement.launcher._idle)

    ground.sh("true")
    before = count()
    ground.sh("exec ls /proc/self/fd")
    assert ground.out.split() == ["0", "1", "2", "3"]
    ground.run(CustomTask(custom_script="print('x')"))
    assert count() == before


def test_private_directory_is_removed_whatever_is_in_it(ground: Any) -> None:
    ground.sh('mkdir -p "$TMPDIR/a/b"; touch "$TMPDIR/a/b/c"; chmod 0 "$TMPDIR/a"; echo $TMPDIR')
    assert not os.path.exists(ground.out.strip())
    ground.sh('stat -c %a "$TMPDIR"; ls -A "$TMPDIR"')
    assert ground.out == "700\n"


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("./own 1", 0, "own 1\n"),
        ("tool 2", 0, "tool 2\n"),
        ("./bare 3", 0, "bare 3\n"),
        ("no-such-program", 127, ""),
        ("./plain", 126, ""),
    ],
)
def test_a_command_of_plain_words_starts_without_a_shell(ground: Any, command: str, code: int, printed: str) -> None:
    for name, text, mode in (
        ("own", "#!/bin/sh\necho own $1\n", 0o755),
        ("below/tool", "#!/bin/sh\necho tool $1\n", 0o755),
        ("bare", "echo bare $1\n", 0o755),
        ("plain", "echo\n", 0o644),
    ):
        path = ground.workspace / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
    result = ground.sh(command, env={"PATH": f"{ground.workspace}/below:/usr/bin:/bin"})
    assert (result.exit_code, ground.out) == (code, printed)
    assert ("not found" in ground.err) == (code == 127)


def test_the_signal_that_ends_a_program_of_plain_words_is_told(ground: Any) -> None:
    program = ground.workspace / "die"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    direct, behind = ground.sh("./die"), ground.sh("./die; exit $?")
    assert (direct.exit_code, direct.signal) == (None, "SIGSEGV")
    assert (behind.exit_code, behind.signal) == (128 + signal.SIGSEGV, None)


def test_the_longest_timeout(ground: Any) -> None:
    """It has more milliseconds than poll() takes."""
    assert ground.sh("echo ran", timeout_seconds=31 * 86400.0).status == "completed"
    assert ground.out == "ran\n"


def test_the_most_seconds_of_a_processor(ground: Any) -> None:
    assert ground.sh("echo ran", request=SandboxRequest(cpu_seconds=10**9)).status == "completed"
    with pytest.raises(ValidationError):
        SandboxRequest(cpu_seconds=10**9 + 1)


@pytest.mark.parametrize(
    ("of_server", "of_task", "advice"),
    [
        ("none", None, "SCHEDULER_NETWORK of the server allows more"),
        ("none", "none", "SCHEDULER_NETWORK of the server allows more"),
        ("all", "none", "The task's own `sandbox.network` asks for that; the server allows 'all'."),
    ],
)
def test_the_hint_names_who_closed_the_network(ground: Any, of_server: str, of_task: Any, advice: str) -> None:
    ground.confine(network=of_server)
    request = None if of_task is None else SandboxRequest(network=of_task)
    code = "import socket; socket.socket()"
    with open_sandbox(ground.spec(request=request), Cancellation(), ground.confinement) as sandbox:
        result = sandbox.run([sys.executable, "-I", "-S", "-c", code])
    assert advice in (result.hint or "")
