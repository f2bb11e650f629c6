"""Make one attempt of a job: by its task in the sandbox, by a function, or by the program's own `execute_job`."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from scheduler.callables import Callables
from scheduler.config import SchedulerConfig
from scheduler.models import CallableJob, Job, utc_now
from scheduler.moments import iso
from scheduler.results import Ending, JobResult, ending_of, ending_of_task, text_of
from scheduler.run import Run, RunStatus
from tasks.base import TaskResult
from tasks.sandbox import Cancellation, Confinement, RunSpec, open_sandbox, output_path, read_ends, write_output
from tasks.sandbox.output import Stream

log = logging.getLogger(__name__)

MOST_TEXT_BYTES = 1024 * 1024

Execute = Callable[[Job], JobResult]
"""A program's own way to carry out an attempt; it is given the job and may call `Attempts.carry_out`."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A run and the definition it is an execution of, as it was when the run was asked for.

    `env` is what the service adds to the environment of its process; what the definition names goes before it.
    """

    run: Run
    job: Job
    zone: ZoneInfo
    cancellation: Cancellation = field(default_factory=Cancellation)
    env: Mapping[str, str] = field(default_factory=dict)


class Attempts:
    """Know how an attempt is made; called in the threads of workers.

    Without an `execute` of the program's own, nothing is read back of what a run printed.
    """

    def __init__(
        self,
        config: SchedulerConfig,
        confinement: Confinement,
        callables: Callables | None = None,
        execute: Execute | None = None,
    ) -> None:
        self.confinement, self._execute = confinement, execute
        self._callables = callables if callables is not None else Callables()
        self._log_dir, self.tmp_root = log_dir(config), config.state_dir / "tmp"
        self._current = threading.local()

    def refusal(self, job: Job) -> str | None:
        """Say why this process cannot make an attempt of a job, though another may; None where it can."""
        if isinstance(job, CallableJob) and job.task_id not in self._callables:
            return f"the process that fires has not registered the function {job.function} of this task"
        return None

    def make(self, assignment: Assignment) -> Ending:
        """Make an attempt to its end; never raise for its failing."""
        if self._execute is None:
            return ending_of_task(self._carried_out(assignment))
        self._current.assignment = assignment
        try:
            return self._ending(assignment.run, self._execute(assignment.job))
        except BaseException as error:  # whatever a program's own code raises ends the attempt, not the worker
            said = f"execute_job raised {type(error).__name__}: {text_of(error)}"
            log.warning(said, extra={"run_id": assignment.run.run_id})
            self._write_output(assignment.run, "stderr", "".join(traceback.format_exception(error)))
            return Ending(RunStatus.FAILED, {"reason": said})
        finally:
            self._current.assignment = None

    def carry_out(self, job: Job) -> JobResult:
        """Carry out what a job says, as the attempt that this thread makes, and tell all that came of it."""
        assignment: Assignment | None = getattr(self._current, "assignment", None)
        if assignment is None:
            raise RuntimeError(
                "execute_job is called by the scheduler for each attempt, in a thread of its own; "
                "to run a job now, call run_now"
            )
        if "timeout_seconds" not in job.model_fields_set:
            job = job.model_copy(update={"timeout_seconds": assignment.job.timeout_seconds})
        result = self._carried_out(replace(assignment, job=job))
        run, began = assignment.run, assignment.run.started_at
        return JobResult(
            status=RunStatus(result.status),
            exit_code=result.exit_code,
            stdout=self._text(run, "stdout"),
            stderr=self._text(run, "stderr"),
            reason=result.reason,
            result=(result.outcome or {}).get("result"),
            duration_seconds=None if began is None else (utc_now() - began).total_seconds(),
            attempt=run.attempt,
            run_id=run.run_id,
            task=result,
        )

    def _ending(self, run: Run, result: object) -> Ending:
        if not isinstance(result, JobResult):
            reason = f"execute_job returned {type(result).__name__}, not a JobResult"
            return Ending(RunStatus.FAILED, {"reason": reason})
        self._write_output(run, "stdout", result.stdout)
        self._write_output(run, "stderr", result.stderr)
        return ending_of(result)

    def _carried_out(self, assignment: Assignment) -> TaskResult:
        run, job = assignment.run, assignment.job
        try:
            if isinstance(job, CallableJob):
                called = self._callables.call(job.task_id, job.timeout_seconds, assignment.cancellation)
                self._write_output(run, "stderr", called.traceback)
                return called.result
            with open_sandbox(self._spec(assignment), assignment.cancellation, self.confinement) as sandbox:
                return job.task.run(sandbox)
        except Exception as error:
            log.exception("a task raised", extra={"run_id": run.run_id, "task_id": run.task_id})
            return TaskResult.not_started(f"internal error: {type(error).__name__}: {text_of(error)}")

    def _text(self, run: Run, stream: Stream) -> str:
        return read_ends(self._log_dir, run.run_id, stream, MOST_TEXT_BYTES)

    def _write_output(self, run: Run, stream: Stream, text: str) -> None:
        """Keep a text as what a run printed, unless it printed something itself."""
        if text and not output_path(self._log_dir, run.run_id, stream).exists():
            write_output(self._log_dir, run.run_id, stream, text)

    def _spec(self, assignment: Assignment) -> RunSpec:
        run, job = assignment.run, assignment.job
        return RunSpec(
            run_id=run.run_id,
            task_id=run.task_id,
            scheduled_for=iso(run.scheduled_for, assignment.zone),
            attempt=run.attempt,
            timezone=assignment.zone.key,
            allowed=self.confinement.allowed,
            working_directory=job.working_directory,
            env={**assignment.env, **job.env},
            timeout_seconds=job.timeout_seconds,
            log_dir=self._log_dir,
            tmp_root=self.tmp_root,
            request=job.sandbox,
        )


def log_dir(config: SchedulerConfig) -> Path:
    """Return the folder of the runs' output."""
    return config.state_dir / "runs"
