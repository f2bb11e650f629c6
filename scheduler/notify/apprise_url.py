"""Send a message through one of the services that Apprise knows: the only door to it."""

from __future__ import annotations

import importlib
from typing import Any

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig
from scheduler.notify.notifier import Message, NotSent

_GOOD = ("recovery", "success", "test")


def send(message: Message, target: Target, config: SchedulerConfig) -> str:
    """Send a message."""
    # It takes a quarter of a second to import, which a service that uses no such target is spared.
    apprise = importlib.import_module("apprise")
    service: Any = apprise.Apprise.instantiate(target.address)
    if service is None:
        raise NotSent(f"Apprise does not understand this URL of '{target.scheme}://'")
    mood = apprise.NotifyType.SUCCESS if message.kind in _GOOD else apprise.NotifyType.FAILURE
    try:
        taken = service.notify(title=message.subject, body=message.text, notify_type=mood)
    except Exception as error:  # a hundred services, and as many ways to fail
        raise NotSent(f"the service '{service.service_name}' failed ({type(error).__name__})") from error
    if not taken:
        # Apprise says more in its log; that may repeat what is secret in the URL.
        raise NotSent(f"the service '{service.service_name}' did not take it")
    return f"taken by the service '{service.service_name}'"
