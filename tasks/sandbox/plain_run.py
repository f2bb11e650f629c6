"""Carry one process tree from its start to its end, without confinement by the kernel."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tasks.results import TaskResult
from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.leftovers import ENDING_SECONDS, RunProcesses
from tasks.sandbox.listener import Listener
from tasks.sandbox.outcome import Cause, Ending, result_of
from tasks.sandbox.output import OutputFile
from tasks.sandbox.processes import Process, open_process
from tasks.sandbox.spec import RunSpec

UMASK = 0o022
UNCONFINED: Mapping[str, str] = {"level": "none"}


class PlainRun:
    """A run of one program: started, waited for in one poll(), and ended with all that it started."""

    def __init__(self, spec: RunSpec, cancellation: Cancellation, told: Mapping[str, Any] = UNCONFINED) -> None:
        self.spec = spec
        self.told = told
        self.cancellation = cancellation
        self.listener = Listener()
        self.processes = RunProcesses(spec.run_id)
        self.outputs = (
            OutputFile(spec.log_dir, spec.run_id, "stdout"),
            OutputFile(spec.log_dir, spec.run_id, "stderr"),
        )

    def carry_out(self, programs: Sequence[Sequence[str]], directory: Path, env: Mapping[str, str]) -> TaskResult:
        """Start the first program that can be, wait for its end, end what is left, and say what came of it."""
        with ExitStack() as stack:
            stack.enter_context(self.processes)
            stack.callback(self.listener.close)
            bell = stack.enter_context(self.cancellation.bell())
            try:
                process = self._start(programs, directory, env)
                self.processes.main_pid = process.pid
            except (OSError, ValueError) as error:
                return TaskResult.not_started(_start_fault(error, programs[-1]))
            main = os.pidfd_open(process.pid)
            stack.callback(os.close, main)
            return self._attend(process, main, bell)

    def _start(
        self, programs: Sequence[Sequence[str]], directory: Path, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with ExitStack() as write_ends:
            pipes = []
            for output in self.outputs:
                read_end, write_end = os.pipe()
                self.listener.add_output(read_end, output)
                write_ends.callback(os.close, write_end)
                pipes.append(write_end)
            for shortcut in programs[:-1]:
                with suppress(OSError):
                    return _process(shortcut, directory, env, pipes)
            return _process(programs[-1], directory, env, pipes)

    def _attend(self, process: subprocess.Popen[bytes], main: int, bell: int) -> TaskResult:
        withstood: list[Process] = []
        try:
            cause = self._wait(main, bell)
        finally:  # whatever happens to this thread, the run's processes end with it
            withstood = self.processes.end()
            code, cpu_seconds = _collect(process, main)
        self.listener.drain()
        self.listener.close()
        return result_of(
            Ending(code, cause, self.cancellation.reason, self.spec.timeout_seconds),
            hints=self._hints(withstood),
            truncated=any(output.truncated for output in self.outputs),
            usage={"cpu_seconds": cpu_seconds},
            sandbox=self.told,
        )

    def _wait(self, main: int, bell: int) -> Cause:
        """Wait until the main process has ended, by itself or because it was told to."""
        deadline = time.monotonic() + self.spec.timeout_seconds
        found = self.listener.wait((main, bell), deadline)
        if found == main:
            return "itself"
        cause: Cause = "timeout" if found is None else "cancelled"
        self._await_grace(self.processes.terminate())
        return cause

    def _await_grace(self, members: Sequence[Process]) -> None:
        """Wait until all these processes have ended, at most for the time of grace."""
        deadline = time.monotonic() + self.spec.grace_seconds
        opened = [fd for fd in map(open_process, members) if fd is not None]
        try:
            for fd in opened:
                self.listener.wait((fd,), deadline)
        finally:
            for fd in opened:
                os.close(fd)

    def _hints(self, withstood: Sequence[Process]) -> list[str]:
        hints = []
        if self.listener.write_error is not None:
            hints.append(f"Not all output could be kept: {self.listener.write_error}.")
        if withstood:
            numbers = ", ".join(str(process.pid) for process in withstood)
            hints.append(f"These processes of the run could not be ended: {numbers}.")
        return hints


def _process(
    argv: Sequence[str], directory: Path, env: Mapping[str, str], outputs: Sequence[int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # no preexec_fn: with it the server's whole memory would be copied
        argv,
        cwd=directory,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=outputs[0],
        stderr=outputs[1],
        start_new_session=True,
        umask=UMASK,
    )


def _collect(process: subprocess.Popen[bytes], main: int) -> tuple[int | None, float]:
    """Reap the main process; return its exit code and the CPU seconds of it and what it waited for."""
    poll = select.poll()
    poll.register(main, select.POLLIN)
    poll.poll(ENDING_SECONDS * 1000)
    try:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
    except ChildProcessError:  # somebody else collected it
        process.returncode = 0
        return None, 0.0
    if pid == 0:  # in uninterruptible sleep, or another user's by a set-uid program
        return None, 0.0
    process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it once more
    return process.returncode, round(used.ru_utime + used.ru_stime, 6)


def _start_fault(error: OSError | ValueError, argv: Sequence[str]) -> str:
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return "cannot be started: the arguments and the environment together are too long"
    return f"{argv[0]!r} cannot be started: {error}"
