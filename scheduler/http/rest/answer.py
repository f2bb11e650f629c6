"""Hold an answer until it is sent: plain data, so that it can be kept and given again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Response

from scheduler.http.answers import dump, json_response


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a status, a JSON object or nothing, and headers.

    One that names `run_ids` is only ready when those have ended (see `Later`).
    """

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)

    def response(self) -> Response:
        """Return what is sent."""
        response = Response(status=self.status) if self.body is None else json_response(self.body, self.status)
        if self.body is None:
            del response.headers["Content-Type"]
        for name, value in self.headers.items():
            response.headers.add(name, value)
        return response

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain values; the body as text, which keeps its fields in their order."""
        text = None if self.body is None else dump(self.body).decode()
        return {"status": self.status, "body": text, "headers": dict(self.headers), "run_ids": self.run_ids}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Answer:
        """Return what `plain` was made of."""
        body = None if plain["body"] is None else orjson.loads(plain["body"])
        return cls(plain["status"], body, plain["headers"], plain["run_ids"])


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that is ready when runs have ended; `finish` makes it, told whether they have."""

    run_ids: list[str]
    seconds: float
    finish: Callable[[bool], Answer]


@dataclass(frozen=True, slots=True)
class Followed:
    """What a run writes, sent as it comes until the run has ended."""

    run_id: str
    stream: str
