"""Say what a notifier is: a function that brings one message to one target, or raises NotSent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig


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
