"""Answer the routes of runs."""

from __future__ import annotations

from typing import Any

from scheduler.http import actions, present, requests
from scheduler.http.rest.answer import Answer, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.changes import Wait, change
from scheduler.http.rest.paging import with_links
from scheduler.run import Run
from scheduler.task_scheduler import CANCEL_SECONDS, TaskScheduler


def list_runs(call: Call) -> Answer:
    """Page through the ledger, newest first."""
    found = call.perform(actions.list_runs)
    return with_links(call, {"runs": found["runs"], "next_cursor": found["next_cursor"]})


def list_runs_of_task(call: Call) -> Answer:
    """Page through the runs of one task, newest first."""
    return list_runs(call)


def get_run(call: Call) -> Answer:
    """Show one run with its output."""
    return call.perform(lambda service, asked: Answer(200, _shown(service, service.get_run(asked.run_id))))


def run_task(call: Call) -> Answer | Later:
    """Run a task at once."""

    def run_now(_: TaskScheduler, asked: requests.RunNow) -> Answer | Later:
        def wait(run_ids: list[str]) -> Later:
            return Later(run_ids, asked.wait_seconds, lambda _: _after(call, run_ids[0]))

        return change(
            call, lambda service: service.run_now(asked.task_id, asked.force), started, wait if asked.wait else None
        )

    return call.perform(run_now)


def cancel_task(call: Call) -> Answer | Later:
    """End all runs of a task."""

    def cancel(_: TaskScheduler, asked: requests.Cancel) -> Answer | Later:
        task_id = str(asked.task_id)
        return change(call, lambda service: service.cancel_job_runs(task_id), _ending, _wait_for_end(call))

    return call.perform(cancel)


def cancel_run(call: Call) -> Answer | Later:
    """End one run."""

    def cancel(_: TaskScheduler, asked: requests.Cancel) -> Answer | Later:
        run_id = str(asked.run_id)
        return change(call, lambda service: service.cancel_run(run_id), _ending, _wait_for_end(call))

    return call.perform(cancel)


def started(service: TaskScheduler, run: Run) -> Answer:
    """Show a run that was asked for."""
    body = present.run_row(run, service.zones([run])[run.job_key]) | {"stdout": "", "stderr": ""}
    return Answer(202, body, {"Location": _place(run)}, [run.run_id])


def _after(call: Call, run_id: str) -> Answer:
    """Show the last attempt: 200 where it has ended, 202 where it goes on."""
    run = call.scheduler.last_attempt(run_id)
    return Answer(200 if run.status.is_final else 202, _shown(call.scheduler, run), {"Location": _place(run)})


def _ending(_: TaskScheduler, run_ids: list[str]) -> Answer:
    return Answer(200, {"cancelled": []}, run_ids=run_ids)


def _wait_for_end(call: Call) -> Wait:
    def finish(run_ids: list[str]) -> Answer:
        return Answer(200, {"cancelled": actions.cancelled(call.scheduler, run_ids)["cancelled"]})

    return lambda run_ids: Later(run_ids, CANCEL_SECONDS, lambda _: finish(run_ids))


def _shown(service: TaskScheduler, run: Run) -> dict[str, Any]:
    return present.run(service, run, service.zones([run])[run.job_key])


def _place(run: Run) -> str:
    return f"/api/runs/{run.run_id}"
