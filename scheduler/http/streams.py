"""Send answers that go on for long: from the loop where the socket can be taken, else from this thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from flask import Request, Response

from scheduler.errors import SchedulerError
from scheduler.http.bell import Bell
from scheduler.http.handoff import HandedOver, Handoff, Send

log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class Source(Protocol):
    """Where what is sent comes from."""

    pause: float
    """Seconds after which to look again, told of news or not."""

    @property
    def may_wait(self) -> bool:
        """Whether `more` would read a disk or ask the store now, so that no loop should call it."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""

    @property
    def is_whole(self) -> bool:
        """Whether what has come is all that there is, and did not break off."""

    def on_news(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever there may be more, from another thread."""

    def more(self) -> bytes:
        """Return what is new, or nothing."""

    def idle(self) -> bytes:
        """Return what is to be sent where nothing was new for a pause."""

    def close(self) -> None:
        """Bring nothing more."""


def send_stream(
    handoff: Handoff, request: Request, source: Source, mimetype: str, headers: Mapping[str, str]
) -> Response:
    """Answer with all that a source brings until it is over."""
    response = Response(content_type=mimetype, headers={**HEADERS, **headers})
    if request.method == "HEAD":
        source.close()
        return response
    if not handoff.can_take(request):
        response.call_on_close(source.close)
        response.response = _generate(source)
        return response
    chunked = request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1"

    async def serve(send: Send) -> None:
        try:
            await send(_head(response, chunked))
            await _pump(source, _in_chunks(send) if chunked else send, handoff.bell())
            if chunked and source.is_whole:
                await send(b"0\r\n\r\n")
        except SchedulerError as error:
            log.warning("a stream broke off: %s", error)
        finally:
            source.close()

    handoff.stream(request, serve)
    raise HandedOver


async def _pump(source: Source, send: Send, bell: Bell) -> None:
    news = bell.add()
    source.on_news(bell.ring)
    try:
        while not source.is_over:
            news.clear()
            data = await asyncio.to_thread(source.more) if source.may_wait else source.more()
            if not data and not source.is_over and not source.may_wait:
                data = await _idle(source, news)
            if data:
                await send(data)
    finally:
        bell.remove(news)


async def _idle(source: Source, news: asyncio.Event) -> bytes:
    try:
        async with asyncio.timeout(source.pause):
            await news.wait()
    except TimeoutError:
        return source.idle()
    return b""


def _generate(source: Source) -> Iterator[bytes]:
    news = threading.Event()
    source.on_news(news.set)
    while not source.is_over:
        news.clear()
        data = source.more()
        if not data and not source.is_over and not source.may_wait and not news.wait(source.pause):
            data = source.idle()
        if data:
            yield data


def _in_chunks(send: Send) -> Send:
    """Frame what is sent, so that a client can tell the end from a broken connection."""

    async def send_chunk(data: bytes) -> None:
        await send(b"%x\r\n%b\r\n" % (len(data), data))

    return send_chunk


def _head(response: Response, chunked: bool) -> bytes:
    response.headers.pop("Content-Length", None)
    response.headers["Connection"] = "close"
    if chunked:
        response.headers["Transfer-Encoding"] = "chunked"
    lines = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
    return f"HTTP/1.1 {response.status}\r\n{lines}\r\n".encode("latin-1")
