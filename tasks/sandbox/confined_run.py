"""Carry out one run under a supervisor, seen from the server."""

from __future__ import annotations

import marshal
import os
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from tasks.results import TaskResult
from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.control import Supervisor, SupervisorLost
from tasks.sandbox.launcher import Launcher
from tasks.sandbox.leftovers import ENDING_SECONDS, kill_leftovers
from tasks.sandbox.listener import Listener
from tasks.sandbox.outcome import Ending, result_of
from tasks.sandbox.output import OutputFile
from tasks.sandbox.spec import RunSpec

MEGABYTE = 1024 * 1024


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

    def carry_out(self, policy: Mapping[str, Any], told: Mapping[str, Any]) -> TaskResult:
        """Have the program run under `policy`, wait for its end, and say what came of it.

        `told` is what the result says about the confinement.
        """
        with ExitStack() as stack:
            stack.callback(self.listener.close)
            bell = stack.enter_context(self.cancellation.bell())
            try:
                supervisor = self._start(marshal.dumps(dict(policy)))
                report = self._attend(supervisor, bell)
            except (SupervisorLost, OSError) as error:
                kill_leftovers([self.spec.run_id])
                return TaskResult("failed", None, None, f"sandbox: {error}", sandbox=told)
            self.listener.drain()
            self.listener.close()
            return self._result(report, policy, told)

    def _start(self, policy: bytes) -> Supervisor:
        """Return a supervisor that has taken the run on."""
        with ExitStack() as given:
            outputs = [self._pipe(output, given) for output in self.outputs]
            for supervisor in self.launcher.supervisors():
                try:
                    taken = supervisor.hand_over(policy, outputs)
                except BaseException:
                    supervisor.close()
                    raise
                if taken:
                    return supervisor
                supervisor.close()
        raise SupervisorLost("no supervisor could be started")

    def _pipe(self, output: OutputFile, given: ExitStack) -> int:
        read_end, write_end = os.pipe()
        self.listener.add_output(read_end, output)
        given.callback(os.close, write_end)
        return write_end

    def _attend(self, supervisor: Supervisor, bell: int) -> dict[str, Any]:
        """Wait for the report, passing a cancellation on; then the supervisor may wait for another run."""
        again = False
        try:
            asked = self._wait(supervisor, bell)
            report = supervisor.report()
            again = report["again"] and not asked
        finally:
            if again:
                self.launcher.give_back(supervisor)
            else:
                supervisor.close()
        return report

    def _wait(self, supervisor: Supervisor, bell: int) -> bool:
        """Wait until the supervisor has something to say; return whether it was asked to end the run."""
        patience = self.spec.grace_seconds + 2 * ENDING_SECONDS
        fd = supervisor.control.fileno()
        found = self.listener.wait((fd, bell), time.monotonic() + self.spec.timeout_seconds + patience)
        asked = found == bell
        if asked:
            supervisor.cancel()
            found = self.listener.wait((fd,), time.monotonic() + patience)
        if found is None:  # it holds the socket open, so its number is still its own
            os.kill(supervisor.pid, signal.SIGKILL)
            raise SupervisorLost("its supervisor does not answer")
        return asked

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
