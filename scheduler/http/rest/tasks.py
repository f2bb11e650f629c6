"""Answer the routes of tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduler.http import actions, present, requests
from scheduler.http.answers import Joined
from scheduler.http.peer import caller
from scheduler.http.reading import Definition
from scheduler.http.rest.answer import Answer, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.changes import change
from scheduler.http.rest.etags import is_known, tag_of
from scheduler.http.rest.paging import with_links
from scheduler.standing import JobInfo, Planned
from scheduler.task_scheduler import CANCEL_SECONDS, TaskScheduler


def list_tasks(call: Call) -> Answer:
    """Page through the tasks."""
    page = call.perform(actions.listed)
    # Each in one object, as `flat` makes it.
    tasks = Joined((b'{"id":', task_id, b",", memoryview(details)[1:]) for task_id, details in page.texts)
    body = {"tasks": tasks, "count": page.total, "next_cursor": actions.next_cursor(page)}
    return with_links(call, call.hinted(body))


def create_task(call: Call) -> Answer | Later:
    """Keep a new task."""

    def create(_: TaskScheduler, asked: Definition) -> Answer | Later:
        assert asked.job is not None
        job, by = asked.job, caller(call.scheduler, call.request)
        return change(call, lambda service: service.add_job(job, asked.replace, by, asked.override), _planned(call))

    return call.perform(create)


def get_task(call: Call) -> Answer:
    """Show one task."""

    def get(service: TaskScheduler, asked: requests.OneTask) -> Answer:
        info = service.get_job(asked.task_id)
        body = call.hinted(flat(present.task_whole(service, info)))
        tag = tag_of(info.stored, body)
        return Answer(304, None, {"ETag": tag}) if is_known(call.request, tag) else Answer(200, body, {"ETag": tag})

    return call.perform(get)


def put_task(call: Call) -> Answer | Later:
    """Create a task, or give it another definition altogether."""
    return create_task(call)


def patch_task(call: Call) -> Answer | Later:
    """Change fields of a task."""

    def update(_: TaskScheduler, asked: Definition) -> Answer | Later:
        changes = {name: value for name, value in asked.fields.items() if name != "task_id"}
        by = caller(call.scheduler, call.request)
        return change(
            call, lambda service: service.update_job(asked.task_id, changes, asked.override, by), _planned(call)
        )

    return call.perform(update)


def delete_task(call: Call) -> Answer | Later:
    """Remove a task and end its runs."""

    def remove(_: TaskScheduler, asked: requests.ChangedTask) -> Answer | Later:
        def show(_: TaskScheduler, ending: list[str]) -> Answer:
            return Answer(204, run_ids=ending)

        def wait(ending: list[str]) -> Later:
            text = f"Task '{asked.task_id}' is removed; runs {', '.join(ending)} are still being ended."
            late = Answer(202, {"status": "success", "message": text})
            return Later(ending, CANCEL_SECONDS, lambda ended: Answer(204) if ended else late)

        by = caller(call.scheduler, call.request)
        return change(call, lambda service: service.remove_job(asked.task_id, asked.override, by), show, wait)

    return call.perform(remove)


def pause_task(call: Call) -> Answer | Later:
    """Plan no fire times of a task."""
    return _switch(call, TaskScheduler.pause_job)


def resume_task(call: Call) -> Answer | Later:
    """Plan a task again."""
    return _switch(call, TaskScheduler.resume_job)


def _switch(call: Call, act: Callable[[TaskScheduler, str, bool, str], bool]) -> Answer | Later:
    def switch(_: TaskScheduler, asked: requests.ChangedTask) -> Answer | Later:
        def show(service: TaskScheduler, _: bool) -> Answer:
            return shown_task(service.get_job(asked.task_id), service.is_running())

        by = caller(call.scheduler, call.request)
        return change(call, lambda service: act(service, asked.task_id, asked.override, by), show)

    return call.perform(switch)


def _planned(call: Call) -> Any:
    """Return how a task is shown that was kept."""

    def show(service: TaskScheduler, planned: Planned) -> Answer:
        created = planned.change == "created"
        place = {"Location": call.place_of(planned.info.stored.task_id)} if created else {}
        answer = shown_task(planned.info, planned.running)
        return Answer(201 if created else 200, answer.body, {**answer.headers, **place})

    return show


def shown_task(info: JobInfo, running: bool) -> Answer:
    """Return a task as it is after a change; `running` says whether jobs fire."""
    shown = flat(present.task(info))
    body = shown if running else shown | {"hint": actions.STOPPED}
    return Answer(200, body, {"ETag": tag_of(info.stored)})


def flat(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a task in one object: its id, and the details that `list` has below."""
    rest = dict(shown)
    details = rest.pop("details")
    return {"id": rest.pop("id"), **details, **rest}
