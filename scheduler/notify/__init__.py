"""Tell people and programs what became of their tasks: one file for each notifier, all of them in NOTIFIERS.

rules.py       what deserves a message                      (pure)
templates.py   the words of it, without secrets              (pure)
targets.py     who may be told
teller.py      decides, in the very transaction that writes what happened
delivery.py    carries the written messages out, later and elsewhere
expect.py      notices what did not happen
"""

from collections.abc import Mapping

from scheduler.notify import apprise_url, email, ping, webhook
from scheduler.notify.notifier import Notifier

NOTIFIERS: Mapping[str, Notifier] = {
    "mailto": email.send,
    "webhook": webhook.send,
    "ping": ping.send,
    "apprise": apprise_url.send,
}
"""How a message gets to a target of each kind."""

__all__ = ["NOTIFIERS"]
