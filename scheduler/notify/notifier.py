"""Say what a notifier is: a function that brings one message to one target, or raises NotSent."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, the same at each attempt. `facts` are for programs, `subject` and `text` for people.

    `delivery_id` is the same at each attempt, too, so that a receiver can know it again.
    """

    delivery_id: str
    kind: str
    task_id: str
    created_at: datetime
    subject: str
    text: str
    facts: Mapping[str, Any]


class NotSent(Exception):
    """A message was not taken; the text says why, and carries no secret."""


Notifier = Callable[[Message, Target, SchedulerConfig], str]
"""Sends, and returns what the other end said. Takes a limited time."""


def deliver(notifier: Notifier, message: Message, target: Target, config: SchedulerConfig) -> str:
    """Send a message and return what the other end said; raise `NotSent` whatever went wrong.

    What no notifier expects is told in the log by where it happened: its text may repeat a secret.
    """
    try:
        return notifier(message, target, config)
    except NotSent:
        raise
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("a notifier of the kind '%s' failed with %s:\n%s", target.kind, type(error).__name__, where)
        raise NotSent(f"it could not be sent ({type(error).__name__})") from error
