"""Answer the routes of notifications: as the actions of those names do."""

from __future__ import annotations

from scheduler.http import actions
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.http.rest.paging import with_links


def list_notifications(call: Call) -> Answer:
    """Page through the notifications, newest first."""
    found = call.perform(actions.list_deliveries)
    return with_links(call, {"deliveries": found["deliveries"], "next_cursor": found["next_cursor"]})


def try_notification(call: Call) -> Answer:
    """Send a test message and say what came of it."""
    return Answer(200, call.perform(actions.test_notification))
