"""Answer the route that tries a definition once."""

from __future__ import annotations

from scheduler.http.peer import caller
from scheduler.http.reading import Definition
from scheduler.http.rest.answer import Answer, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.changes import change
from scheduler.http.rest.runs import started
from scheduler.task_scheduler import TaskScheduler


def try_task(call: Call) -> Answer | Later:
    """Run a definition once and keep no task."""

    def try_once(_: TaskScheduler, asked: Definition) -> Answer | Later:
        assert asked.job is not None
        job, by = asked.job, caller(call.scheduler, call.request)
        return change(call, lambda service: service.try_job(job, by), started)

    return call.perform(try_once)
