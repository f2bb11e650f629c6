"""Carry out one run under a supervisor, seen from the server."""

from __future__ import annotations

import logging
import marshal
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from tasks.results import TaskResult
from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.launcher import Launcher
from tasks.sandbox.leftovers import ENDING_SECONDS, kill_leftovers
from tasks.sandbox.listener import Listener
from tasks.sandbox.outcome import Ending, result_of
from tasks.sandbox.output import OutputFile
from tasks.sandbox.spec import RunSpec
from tasks.sandbox.supervisor import CANCEL, PID_BYTES, STARTED

log = logging.getLogger(__name__)

START_SECONDS = 20.0
"""How long a supervisor may take until it has understood its policy."""

MEGABYTE = 1024 * 1024


class SupervisorLost(Exception):
    """A supervisor did not do its part."""


class ConfinedRun:
    """A run of one program under a supervisor that confines, times and ends it."""

    def __init__(self, spec: RunSpec, cancellation: Cancellation, launcher: Launcher) -> None:
        self.spec = spec
        self.cancellation = cancellation
        self.launcher = launcher
        self.listener = Listener()
        self.outputs = (
            OutputFile(spec.log_dir, spec.run_id, "stdout"),
            OutputFile(spec.log_dir, spec.run_id, "stderr"),
        )
        self.supervisor = 0
        self._heard = b""

    def carry_out(self, policy: Mapping[str, Any], told: Mapping[str, Any]) -> TaskResult:
        """Have the program run under `policy`, wait for its end, and say what came of it.

        `told` is what the result says about the confinement.
        """
        with ExitStack() as stack:
            stack.callback(self.listener.close)
            bell = stack.enter_context(self.cancellation.bell())
            try:
                control = self._start(marshal.dumps(dict(policy)), stack)
                report = self._wait(control, bell)
            except (SupervisorLost, OSError) as error:
                kill_leftovers([self.spec.run_id])  # with the supervisor goes its child, but not all below
                return TaskResult("failed", None, None, f"sandbox: {error}", sandbox=told)
            self.listener.drain()
            self.listener.close()
            return self._result(report, policy, told)

    def _start(self, policy: bytes, stack: ExitStack) -> socket.socket:
        """Return the control socket of a supervisor that has understood its policy."""
        with ExitStack() as given:
            fds = [self._pipe(output, given) for output in self.outputs]
            for way in (self._fork, self._spawn):
                ours, theirs = socket.socketpair()
                stack.callback(ours.close)
                with theirs:
                    started = way([theirs.fileno(), *fds], stack)
                if started and self._hand_over(ours, policy):
                    return ours
        raise SupervisorLost("no supervisor could be started")

    def _pipe(self, output: OutputFile, given: ExitStack) -> int:
        read_end, write_end = os.pipe()
        self.listener.add_output(read_end, output)
        given.callback(os.close, write_end)
        return write_end

    def _fork(self, fds: list[int], stack: ExitStack) -> bool:
        return self.launcher.fork(fds)

    def _spawn(self, fds: list[int], stack: ExitStack) -> bool:
        log.warning("Run %s is started without the fork server.", self.spec.run_id)
        process: subprocess.Popen[bytes] = self.launcher.spawn(fds)
        stack.callback(self.launcher.reap, process)
        return True

    def _hand_over(self, control: socket.socket, policy: bytes) -> bool:
        """Send the policy; return whether a supervisor took it. If not, nothing has been started."""
        control.settimeout(START_SECONDS)
        try:
            control.sendall(len(policy).to_bytes(4, "big") + policy)
            answer = control.recv(len(STARTED) + PID_BYTES, socket.MSG_WAITALL)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        except TimeoutError as error:
            raise SupervisorLost(f"its supervisor did not start within {START_SECONDS:g} s") from error
        if not answer:
            self.launcher.distrust()
            return False
        self.supervisor = int.from_bytes(answer[len(STARTED) :], "big")
        return True

    def _wait(self, control: socket.socket, bell: int) -> dict[str, Any]:
        """Wait for the supervisor's report, passing a cancellation on."""
        patience = self.spec.grace_seconds + 2 * ENDING_SECONDS
        fd = control.fileno()
        found = self.listener.wait((fd, bell), time.monotonic() + self.spec.timeout_seconds + patience)
        if found == bell:
            with suppress(BrokenPipeError, ConnectionResetError):  # it has just reported and gone
                control.sendall(CANCEL)
            found = self.listener.wait((fd,), time.monotonic() + patience)
        if found is None:  # it holds the socket open, so its number is still its own
            os.kill(self.supervisor, signal.SIGKILL)
            raise SupervisorLost("its supervisor does not answer")
        return _report(control)

    def _result(self, report: Mapping[str, Any], policy: Mapping[str, Any], told: Mapping[str, Any]) -> TaskResult:
        if report["fault"]:
            return TaskResult("failed", None, None, report["fault"], sandbox=told)
        status = report["status"]
        ending = Ending(
            None if status is None else os.waitstatus_to_exitcode(status),
            report["cause"],
            self.cancellation.reason,
            self.spec.timeout_seconds,
            limit=_limit_text(report["cause"], policy),
        )
        return result_of(
            ending,
            hints=self._hints(report),
            truncated=any(output.truncated for output in self.outputs),
            usage={
                "cpu_seconds": round(report["cpu_seconds"], 6),
                "peak_memory_mb": round(report["memory"] / MEGABYTE, 1),
                "processes": report["processes"],
            },
            sandbox=told,
        )

    def _hints(self, report: Mapping[str, Any]) -> list[str]:
        hints = []
        if self.listener.write_error is not None:
            hints.append(f"Not all output could be kept: {self.listener.write_error}.")
        if not report["tidy"]:
            hints.append("Some processes of the run could not be ended.")
        return hints


def _limit_text(cause: str, policy: Mapping[str, Any]) -> str:
    texts = {
        "memory": f"used more than {policy['memory'] // MEGABYTE} MB of memory",
        "processes": f"had more than {policy['processes']} processes",
        "cpu": f"used more than {policy['cpu_seconds'] or 0:g} s of CPU time",
    }
    return texts.get(cause, "")


def _report(control: socket.socket) -> dict[str, Any]:
    parts = []
    with suppress(ConnectionResetError):  # in place of the end, where it left a cancellation unread
        while part := control.recv(65536):
            parts.append(part)
    try:
        report: dict[str, Any] = marshal.loads(b"".join(parts))
    except (EOFError, ValueError, TypeError) as error:
        raise SupervisorLost("its supervisor died") from error
    return report
