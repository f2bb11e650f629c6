"""Answer later without holding a thread: take the socket away from gunicorn and keep it on an asyncio loop.

A gthread worker has few threads, and waits are long. A request that has to wait leaves its thread
at once: its socket moves to one loop thread that serves any number of them.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from flask import Request, Response

from scheduler.http.bell import Bell

log = logging.getLogger(__name__)

SEND_SECONDS = 30.0
FINISH_SECONDS = 1.0
SEND_BUFFER = 128 * 1024
"""What the system keeps for a reader of a stream that does not read; it would let that grow to megabytes."""

_taken_sockets_are_understood = threading.Event()


def allow_handoff() -> None:
    """Tell that this process's server lets go of a socket that was taken from it (see worker.py)."""
    _taken_sockets_are_understood.set()


Noticed = Callable[[Request], Callable[[int], None]]
"""Takes note of a request; what it returns is told the status of the answer, from any thread."""
Send = Callable[[bytes], Awaitable[None]]
"""Sends bytes to a client, and returns when the system has taken them."""


class HandedOver(BaseException):
    """Leave the web framework without an answer: somebody else will give it.

    No `Exception`, because the framework would make an answer of that.
    """


class Handoff:
    """One thread with an asyncio loop that owns the sockets of all who wait."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell: Bell | None = None
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.noticed: Noticed = lambda _: lambda _: None

    def can_take(self, request: Request) -> bool:
        """Whether the server that runs us lets the socket go."""
        return _taken_sockets_are_understood.is_set() and "gunicorn.socket" in request.environ

    def take(self, request: Request) -> Callable[[Response], None]:
        """Take the request's socket; the function returned sends the answer, from any thread, and closes it."""
        noticed = self.noticed(request)
        loop, taken = self._running_loop(), _detach(request)

        def send(response: Response) -> None:
            noticed(response.status_code)
            loop.call_soon_threadsafe(self._send_soon, loop, taken, _as_bytes(response))

        return send

    def stream(self, request: Request, serve: Callable[[Send], Awaitable[None]]) -> None:
        """Take the request's socket and let `serve` write to it, on the loop; it is closed when that returns.

        Where the client goes away, or reads nothing for SEND_SECONDS, `serve` is cancelled. A stream counts
        as answered when it begins: it may go on for days.
        """
        self.noticed(request)(200)
        loop, taken = self._running_loop(), _detach(request)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        loop.call_soon_threadsafe(lambda: self._keep(loop.create_task(_stream(loop, taken, serve))))

    def bell(self) -> Bell:
        """Return what all streams of the loop are woken by; to be asked on the loop."""
        if self._bell is None:
            self._bell = Bell(asyncio.get_running_loop())
        return self._bell

    def close(self) -> None:
        """Send what is ready, for a moment, then end the thread."""
        loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._finish(), loop).result(timeout=SEND_SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, started with the first socket that is taken."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="http-waits", daemon=True)
                self._thread.start()
            return self._loop

    async def _finish(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=FINISH_SECONDS)

    def _send_soon(self, loop: asyncio.AbstractEventLoop, taken: socket.socket, data: bytes) -> None:
        self._keep(loop.create_task(_send(loop, taken, data)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _detach(request: Request) -> socket.socket:
    held: socket.socket = request.environ["gunicorn.socket"]
    taken = socket.socket(fileno=held.detach())
    taken.setblocking(False)
    return taken


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


async def _send(loop: asyncio.AbstractEventLoop, taken: socket.socket, data: bytes) -> None:
    try:
        for begin in range(0, len(data), SEND_BUFFER):
            await asyncio.wait_for(loop.sock_sendall(taken, data[begin : begin + SEND_BUFFER]), SEND_SECONDS)
        taken.shutdown(socket.SHUT_WR)
    except (OSError, TimeoutError) as error:
        log.info("who waited for an answer is gone: %s", error)
    finally:
        taken.close()


async def _stream(
    loop: asyncio.AbstractEventLoop, taken: socket.socket, serve: Callable[[Send], Awaitable[None]]
) -> None:
    task = asyncio.current_task()
    assert task is not None

    async def send(data: bytes) -> None:
        # What the system takes at once, as it mostly does, needs no timer.
        if left := data[_sent_at_once(taken, data) :]:
            async with asyncio.timeout(SEND_SECONDS):
                await loop.sock_sendall(taken, left)

    loop.add_reader(taken, _end_with_client, loop, taken, task)
    try:
        await serve(send)
        taken.shutdown(socket.SHUT_WR)
    except (OSError, TimeoutError) as error:
        log.info("a reader of a stream is gone: %s", str(error) or "it did not read")
    except asyncio.CancelledError:
        log.debug("a reader of a stream has left")
    except Exception:
        log.exception("a stream broke off")
    finally:
        loop.remove_reader(taken)
        taken.close()


def _sent_at_once(taken: socket.socket, data: bytes) -> int:
    try:
        return taken.send(data)
    except BlockingIOError:
        return 0


def _end_with_client(loop: asyncio.AbstractEventLoop, taken: socket.socket, task: asyncio.Task[None]) -> None:
    """Notice that the client has closed; what it sends otherwise is nobody's business."""
    try:
        if taken.recv(4096):
            return
    except BlockingIOError:
        return
    except OSError:
        pass  # The connection is broken, which ends the stream as well.
    loop.remove_reader(taken)
    task.cancel()


class LeaveSocket:
    """WSGI middleware: end a request whose socket was taken in the one way that makes gunicorn write nothing."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        try:
            return self._app(environ, start_response)
        except HandedOver as handed:
            raise OSError(errno.ENOTCONN, "the socket was handed over") from handed


def _as_bytes(response: Response) -> bytes:
    response.headers["Connection"] = "close"
    if response.status_code != 204:
        response.headers["Content-Length"] = str(len(response.get_data()))
    head = f"HTTP/1.1 {response.status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in response.headers)
    return head.encode("latin-1") + b"\r\n" + response.get_data()
