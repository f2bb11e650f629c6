"""What became of a run is told, though the server dies between the two."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.e2e.conftest import MakeServer
from tests.receivers import http_receiver, mail_receiver
from tests.server import free_port, wait_until

SECRET = "a secret of 16 characters"


def targets(port: int) -> dict[str, str]:
    """Return settings that name a webhook on a port."""
    hook = {"hook": {"webhook": f"http://127.0.0.1:{port}/hook"}}
    return {"SCHEDULER_NOTIFY_TARGETS": json.dumps(hook), "SCHEDULER_WEBHOOK_SECRET": SECRET}


@pytest.mark.soak
def test_kill_9_between_a_failed_run_and_its_notification(make_server: MakeServer) -> None:
    port = free_port()  # nobody listens yet: what is written cannot be sent
    server = make_server(**targets(port))
    server.ok(
        "create", task_id="job", type="command", interval="every 1 hour", command="exit 3", notify={"to": ["hook"]}
    )
    run_id = server.ok("run_now", task_id="job", wait=True)["run"]["run_id"]
    server.kill(signal.SIGKILL)
    with http_receiver(port) as receiver:
        server.start()
        [got] = receiver.wait_for(1)
        assert (got.json["kind"], got.json["run"]["run_id"]) == ("failure", run_id)
        [row] = wait_until(lambda: server.ok("deliveries", state="delivered")["deliveries"])
        assert row["delivery_id"] == got.headers["X-Scheduler-Delivery"]
        server.kill(signal.SIGKILL)
        server.start()
        server.ok("run_now", task_id="job", wait=True)  # it fails still, and that was told
        server.ok("update", task_id="job", command="true", notify={"to": ["hook"], "every_minutes": 0})
        server.ok("run_now", task_id="job", wait=True)
        kinds = [request.json["kind"] for request in receiver.wait_for(2)]
        assert kinds == ["failure", "recovery"]


@pytest.mark.soak
def test_a_run_that_the_server_died_under_is_told_by_mail_with_its_output(make_server: MakeServer) -> None:
    with mail_receiver() as mailbox:
        server = make_server(SCHEDULER_SMTP_URL=mailbox.url)
        begun = server.workspace / "begun"
        command = "echo so far; touch begun; exec sleep 600"
        notify: dict[str, Any] = {"to": ["mailto:ops@example.com"]}
        server.ok("create", task_id="job", type="command", interval="every 1 hour", command=command, notify=notify)
        server.ok("run_now", task_id="job")
        wait_until(begun.exists)
        server.kill(signal.SIGKILL)
        server.start()
        [letter] = mailbox.wait_for(1)
        assert letter["Subject"] == "[task-scheduler] 'job' was interrupted"
        assert "Reason: the server died under it" in letter.get_content()
        assert "End of the output:\nso far" in letter.get_content().replace("\r\n", "\n")


@pytest.mark.soak
def test_a_receiver_that_never_answers_delays_no_run(make_server: MakeServer) -> None:
    with http_receiver() as receiver:
        receiver.gate.clear()
        server = make_server(**targets(int(receiver.url.rsplit(":", 1)[1])))
        notify = {"to": ["hook"], "on": ["success"], "every_minutes": 0}
        for number in range(5):
            server.ok("create", task_id=f"job-{number}", type="command", interval="every 1 hour", command="true",
                      notify=notify)  # fmt: skip
            run = server.ok("run_now", task_id=f"job-{number}", wait=True)["run"]
            assert run["status"] == "completed"
        assert len(receiver.received) <= 1
        assert server.ok("status")["notifications"]["waiting"] == 5
        receiver.gate.set()
        receiver.wait_for(5)
