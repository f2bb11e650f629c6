"""Send a test message at once, and say what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.alerts import Notify
from scheduler.config import SchedulerConfig
from scheduler.errors import LimitReached
from scheduler.ids import new_run_id
from scheduler.notify import NOTIFIERS
from scheduler.notify.notifier import Message, Notifier, NotSent, deliver
from scheduler.notify.rules import Kind
from scheduler.notify.targets import find_target, label, shown
from scheduler.notify.templates import News, render

_ONE_AT_A_TIME = threading.Lock()
"""Whoever tests holds a thread that serves requests, and there are few."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test: what the other end said, or why it was not delivered."""

    delivery_id: str
    target: str
    delivered: bool
    answer: str
    seconds: float


def try_target(
    written: Any, config: SchedulerConfig, now: datetime, notifiers: Mapping[str, Notifier] = NOTIFIERS
) -> Outcome:
    """Send a test message to a target; raise `InvalidRequest` where there is none, `LimitReached` during another."""
    target = find_target(written, config, "target")
    says = "sent you this message because somebody asked it to test this target"
    news = News(Kind.TEST, "task-scheduler", None, config.zone, says=says)
    subject, text, facts = render(Notify.model_validate({}), news, [])
    message = Message(new_run_id(now), Kind.TEST.value, news.task_id, now, subject, text, facts)
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise LimitReached("another test message is being sent: try again in a moment", retry_after=5)
    began = time.monotonic()
    try:
        delivered, answer = True, deliver(notifiers[target.kind], message, target, config)
    except NotSent as error:
        delivered, answer = False, str(error)
    finally:
        _ONE_AT_A_TIME.release()
    return Outcome(message.delivery_id, shown(label(written)), delivered, answer, round(time.monotonic() - began, 3))
