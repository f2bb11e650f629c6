"""Answer the routes of the scheduler itself: as the actions of those names do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduler.http import actions
from scheduler.http.rest.answer import Answer, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.changes import change
from scheduler.http.rest.stats import read_stats
from scheduler.task_scheduler import TaskScheduler


def get_status(call: Call) -> Answer:
    """Tell how the scheduler is doing."""
    return Answer(200, call.perform(actions.status))


def get_preview(call: Call) -> Answer:
    """Show what a schedule means and when it fires; changes nothing."""
    return Answer(200, call.perform(actions.preview))


def start_scheduler(call: Call) -> Answer | Later:
    """Let tasks run on schedule."""
    return _switch(call, TaskScheduler.start, actions.started)


def stop_scheduler(call: Call) -> Answer | Later:
    """Let no task run on schedule."""
    return _switch(call, TaskScheduler.stop, actions.stopped)


def _switch(call: Call, act: Callable[[TaskScheduler], bool], told: Callable[[bool], dict[str, Any]]) -> Answer | Later:
    return call.perform(lambda *_: change(call, act, lambda _, changed: Answer(200, told(changed))))


def get_stats(call: Call) -> Answer:
    """Tell how runs went of late."""
    return Answer(200, call.perform(read_stats))
