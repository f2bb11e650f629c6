"""Real receivers of notifications: an HTTP server and a mail server on free ports of the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.server import free_port, wait_until


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object."""
        return dict(orjson.loads(self.body))


@dataclass(slots=True)
class Receiver:
    """An HTTP server that keeps what it is sent and answers with `status`; it waits with that for `gate`."""

    url: str = ""
    status: int = 200
    received: list[Received] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int) -> list[Received]:
        """Wait until so many requests came, and return all."""
        wait_until(lambda: len(self.received) >= count, what=f"request {count} ({self.received})")
        return self.received


@contextmanager
def http_receiver(port: int = 0) -> Iterator[Receiver]:
    """Give a receiver that listens."""
    receiver = Receiver()
    receiver.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Received(self.path, dict(self.headers), body))
            receiver.gate.wait(30)
            self.send_response(receiver.status)
            if receiver.status == 302:
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class Mailbox:
    """A mail server that keeps what it is sent; recipients of `refused.example` are refused."""

    url: str = ""
    letters: list[EmailMessage] = field(default_factory=list)

    def wait_for(self, count: int) -> list[EmailMessage]:
        """Wait until so many letters came, and return all."""
        wait_until(lambda: len(self.letters) >= count, what=f"letter {count}")
        return self.letters


class _Handler:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        if address.endswith("@refused.example"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self._mailbox.letters.append(letter)
        return "250 OK"


@contextmanager
def mail_receiver(**settings: Any) -> Iterator[Mailbox]:
    """Give a mail server that listens; `settings` are those of aiosmtpd."""
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(_Handler(mailbox), hostname="127.0.0.1", port=port, **settings)
    controller.start()
    mailbox.url = f"smtp://127.0.0.1:{port}/?from=scheduler@example.com"
    try:
        yield mailbox
    finally:
        controller.stop()
