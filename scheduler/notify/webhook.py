"""Send a message as signed JSON to a webhook.

The signature is the HMAC-SHA256, keyed with the secret, of the timestamp, a full stop and the body. Delivery id and
body are the same at each attempt, the timestamp is that of the attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import time

import orjson

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig
from scheduler.moments import iso
from scheduler.notify.notifier import Message, NotSent
from scheduler.notify.web import post

DELIVERY, EVENT = "X-Scheduler-Delivery", "X-Scheduler-Event"
TIMESTAMP, SIGNATURE = "X-Scheduler-Timestamp", "X-Scheduler-Signature"


def send(message: Message, target: Target, config: SchedulerConfig) -> str:
    """Send a message."""
    secret = target.secret or config.webhook_secret
    if secret is None:
        raise NotSent("webhooks are signed, and no secret is set (SCHEDULER_WEBHOOK_SECRET)")
    content, timestamp = body(message, config), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        DELIVERY: message.delivery_id,
        EVENT: message.kind,
        TIMESTAMP: timestamp,
        SIGNATURE: f"v1={sign(secret.get_secret_value(), timestamp, content)}",
    }
    return post(target.address, content, headers)


def body(message: Message, config: SchedulerConfig) -> bytes:
    """Return the JSON: the same keys for every kind of message."""
    return orjson.dumps(
        {
            "id": message.delivery_id,
            "kind": message.kind,
            "task_id": message.task_id,
            "created_at": iso(message.created_at, config.zone),
            "subject": message.subject,
            "text": message.text,
            **message.facts,
        }
    )


def sign(secret: str, timestamp: str, content: bytes) -> str:
    """Return the signature in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()
