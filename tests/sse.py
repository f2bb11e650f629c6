"""Read server-sent events and other long answers over a plain socket, as they come."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.server import PATIENCE


@dataclass(frozen=True, slots=True)
class Message:
    """One event: its id is None where it has none."""

    event: str
    data: dict[str, Any]
    id: int | None = None


def fields_of(block: str) -> dict[str, str]:
    """Return the fields of a block, comments left out."""
    pairs = (line.partition(": ") for line in block.split("\n") if not line.startswith(":"))
    return {name: value for name, _, value in pairs}


def parse(text: str) -> Iterator[Message]:
    """Yield the events of whole blocks."""
    for block in text.split("\n\n"):
        fields = fields_of(block)
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield Message(fields["event"], json.loads(fields["data"]), number)


class Connection:
    """A long answer to one GET; `status` and `headers` are there, the body is read as it comes."""

    def __init__(self, port: int, path: str, seconds: float = PATIENCE, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self.socket.makefile("rb")
        self.is_whole = False
        self.headers: dict[str, str] = {}
        try:
            self.status = int(self._file.readline().split()[1])
            while (line := self._file.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                self.headers[name.lower()] = value.strip()
        except BaseException:
            self.close()
            raise

    def body(self) -> Iterator[bytes]:
        """Yield what comes; `is_whole` says afterwards whether the end was told."""
        try:
            yield from self._body()
        finally:
            self.close()

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("transfer-encoding") != "chunked":
            yield self._file.read(int(self.headers["content-length"]))
            return
        while line := self._file.readline():
            size = int(line, 16)
            data = self._file.read(size)
            self._file.readline()
            if size == 0:
                self.is_whole = True
                return
            yield data

    def text(self) -> str:
        """Return all to the end."""
        return b"".join(self.body()).decode()

    def close(self) -> None:
        """Go away."""
        self._file.close()
        self.socket.close()


class Reader(Connection):
    """A reader of events that keeps the last id, as a browser does."""

    def __init__(self, port: int, query: str = "", seconds: float = PATIENCE, **headers: str) -> None:
        super().__init__(port, f"/api/events{query}", seconds, **headers)
        assert self.status == 200, self.text()
        self.last_id = ""
        self._blocks = self._split()
        self.opened = next(self._blocks)

    def __iter__(self) -> Iterator[Message]:
        """Yield each event as it comes."""
        for block in self._blocks:
            yield from parse(block)

    def until(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Return what comes up to the first event that is wanted, that one too."""
        found = []
        for message in self:
            found.append(message)
            if wanted(message):
                return found
        raise AssertionError(f"the stream ended before: {found}")

    def _split(self) -> Iterator[str]:
        left = b""
        for data in self.body():
            left += data
            while b"\n\n" in left:
                block, _, left = left.partition(b"\n\n")
                self.last_id = fields_of(block.decode()).get("id", self.last_id)
                yield block.decode()
