"""An example of an agent in a container of its own: have a task made and run by the scheduler, and show what came."""

from __future__ import annotations

import os
import sys
from typing import Any

import requests


def post(action: str, **fields: Any) -> dict[str, Any]:
    """Send one action; the message of a refusal says what to change."""
    answer = requests.post(
        os.environ["SCHEDULER_URL"] + "/schedule",
        json={"action": action, **fields},
        headers={"Authorization": f"Bearer {os.environ['SCHEDULER_TOKEN']}"},
        timeout=120,
    )
    body: dict[str, Any] = answer.json()
    if body["status"] == "error":
        sys.exit(f"{action}: {body['message']}")
    return body


def main() -> None:
    """Make a task, run it once, and leave it to the schedule."""
    if not os.environ.get("SCHEDULER_TOKEN"):
        sys.exit("set SCHEDULER_TOKEN, the same for the scheduler and for me; see deploy/docker-compose.yml")
    command = "echo hello from $SCHEDULER_TASK_ID"
    print(post("create", task_id="greeting", type="command", interval="every 1 hour", command=command)["message"])
    print(post("start")["message"])
    run = post("run_now", task_id="greeting", wait=True)["run"]
    print(f"{run['status']}: {run['stdout']}", end="")


if __name__ == "__main__":
    main()
