"""Run the image's service as an engine would, and stop it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from check_dockerfile.failure import Failure
from check_dockerfile.host import names_of_hosts
from check_dockerfile.image import Image, die_with_parent

STOP_SECONDS = 40
"""What `docker run --stop-timeout` in the Dockerfile's first lines says."""


class Container:
    """The service as an engine would run it: process 1, its user, no privileges, a root that cannot be written."""

    def __init__(self, image: Image, volumes: Path) -> None:
        self.image, self.port = image, free_port()
        self.log_path = volumes / "log"
        # What an engine is asked for by --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges.
        self.mounts = ["read-only", "tmpfs", "/tmp"]
        for target in [*image.volumes, *image.env["SCHEDULER_ALLOWED_DIRS"].split(":")]:
            source = volumes / target.strip("/")
            if not source.exists():
                # As an engine fills a new volume: with the owner and mode of the folder in the image.
                found = (image.root / target.lstrip("/")).stat()
                source.mkdir(parents=True)
                os.chown(source, found.st_uid, found.st_gid)
                source.chmod(found.st_mode & 0o7777)
            self.mounts += ["bind", str(source), target]
        self.mounts = [*(word for path in names_of_hosts() for word in ("bind", path, path)), *self.mounts]
        self.env = {**image.env, "HOME": "/", "SCHEDULER_PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it and return the seconds until its HEALTHCHECK is content."""
        started = time.monotonic()
        command = [*self.image.entrypoint, *self.image.command]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.image.inside(command, self.mounts, self.image.user, confined=True),
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
            )  # fmt: skip
        while self.healthy() != 0:
            if self.process.poll() is not None or time.monotonic() > started + 120:
                raise Failure(f"the service did not become healthy:\n{self.log()[-4000:]}")
            time.sleep(0.05)
        return time.monotonic() - started

    def healthy(self) -> int:
        """Run the HEALTHCHECK and return its exit code."""
        assert self.image.health is not None
        command = self.image.inside(self.image.health.command(), self.mounts, self.image.user, confined=True)
        return subprocess.run(command, env=self.env, capture_output=True, check=False, timeout=30).returncode

    def log(self) -> str:
        """Return what it has written."""
        return self.log_path.read_text() if self.log_path.exists() else ""

    def post(self, token: str | None = None, /, **body: object) -> tuple[int, dict[str, object]]:
        """Send one action; return the HTTP number and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("POST", "/schedule", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def first_process(self) -> int:
        """Return process 1 of the container, as this machine numbers it."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children:
            raise Failure("the service is not running")
        return int(children[0])

    def stop(self) -> tuple[float, int]:
        """Send the stop signal; return the seconds until the end, and the exit code."""
        assert self.process is not None
        started = time.monotonic()
        os.kill(self.first_process(), getattr(signal, self.image.stop_signal))
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"the service did not end within {STOP_SECONDS} s:\n{self.log()[-4000:]}") from error
        return time.monotonic() - started, code

    def kill(self) -> None:
        """End it in any case; with its process 1 everything in the namespace ends."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
