"""Answer the routes of notifications: as the actions of those names do."""

from __future__ import annotations

from scheduler.errors import SchedulerError
from scheduler.http import actions, requests
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.http.rest.idempotency import AnsweredBefore, Key, read_key
from scheduler.http.rest.paging import with_links
from scheduler.task_scheduler import TaskScheduler


def list_notifications(call: Call) -> Answer:
    """Page through the notifications, newest first."""
    found = call.perform(actions.list_deliveries)
    return with_links(call, {"deliveries": found["deliveries"], "next_cursor": found["next_cursor"]})


def try_notification(call: Call) -> Answer:
    """Send a test message and say what came of it."""
    key = read_key(call)
    try:
        return call.perform(lambda service, asked: _try_once(service, asked, key))
    except AnsweredBefore as before:
        return before.answer


def _try_once(service: TaskScheduler, asked: requests.TestNotification, key: Key | None) -> Answer:
    """Send a message at most once for a key: it is taken before, since no transaction takes a message back."""
    if key is None:
        return Answer(200, actions.test_notification(service, asked))
    service.transact(key.reserve)
    try:
        answer = Answer(200, actions.test_notification(service, asked))
    except SchedulerError:
        service.transact(key.forget)
        raise
    service.transact(lambda connection: key.keep(connection, answer))
    return answer
