"""Show one run: how it went, what it wrote, and what came before and after it; run it again, or end it."""

from __future__ import annotations

from flask import Response

from scheduler.errors import SchedulerError
from scheduler.http.actions import STOPPED
from scheduler.http.pages.failures_view import find_failures
from scheduler.http.pages.local import local_path, run_path
from scheduler.http.pages.output_view import lines_of, plain, view_stream
from scheduler.http.pages.page import Visit
from scheduler.http.pages.run_view import say_count_of, view_run
from scheduler.run import Run, RunStatus
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox.output import Stream

STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


def show_run(visit: Visit, run_id: str) -> Response:
    """Show a run."""
    service = visit.scheduler
    run = service.get_run(run_id)
    job, attempts = service.attempts(run)
    kept = {name: _read(service, run, name) for name in STREAMS}
    view = view_run(run, job)
    failures = []
    if job.definition["type"] == "test" and run.status is not RunStatus.COMPLETED:
        failures = find_failures(
            view.failing, [plain(line) for line in lines_of(kept["stdout"].decode("utf-8", "replace"))]
        )
    # What went wrong stands first.
    order = STREAMS[::-1] if run.status is RunStatus.FAILED and kept["stderr"] else STREAMS
    return visit.show(
        "run.html",
        title=f"{run.task_id}, {run.status.value}",
        run=run,
        view=view,
        job=job,
        zone=job.zone,
        exists=job.removed_at is None,
        attempts=attempts,
        stands_for=say_count_of(run),
        streams=[view_stream(name, kept[name]) for name in order],
        failures=failures,
        stopped=None if service.is_running() or run.status.is_final else STOPPED,
        now=service.now(),
    )


def run_again(visit: Visit, run_id: str) -> Response:
    """Run the task of a run at once, and go to the new run."""
    return run_task(visit, visit.scheduler.get_run(run_id).task_id, run_path(run_id))


def run_task(visit: Visit, task_id: str, back: str) -> Response:
    """Run a task at once and go to its run; where that is refused, go back and say why."""
    try:
        run = visit.scheduler.run_now(task_id)
    except SchedulerError as error:
        return visit.go(local_path(back), error.message, "bad")
    return visit.go(run_path(run.run_id), f"Task '{task_id}' is run now.")


def cancel_run(visit: Visit, run_id: str) -> Response:
    """Ask for the end of a run; a module asks the API instead, which answers when it is over."""
    ending = visit.scheduler.cancel_run(run_id)
    said = "The run is being ended, with all its processes." if ending else "The run has already ended."
    return visit.go(run_path(run_id), said)


def _read(service: TaskScheduler, run: Run, name: Stream) -> bytes:
    return service.read_log(run.run_id, name)[0] if run.started_at is not None else b""
