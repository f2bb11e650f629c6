"""Talk to a running server by its one endpoint: the door to `requests` for this package."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from scheduler.cli.ending import FAILED, UNREACHABLE, Refused, advice_of, exit_code_of

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 330
"""More than the longest wait that an action takes."""
_PAGE = 1000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks: a token's holder, a user by name and password, or nobody in particular."""

    token: str | None = None
    user: str | None = None
    password: str = ""

    @property
    def header(self) -> str | None:
        """What stands in `Authorization`."""
        if self.user is not None:
            return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return f"Bearer {self.token}" if self.token else None


def encoded(body: Any) -> bytes:
    """Return the JSON text that a server is sent."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def unsendable(value: Any) -> str | None:
    """Say what keeps a value from being sent; None where nothing does."""
    try:
        encoded(value)
    except UnicodeEncodeError:
        return "it is not UTF-8"
    except ValueError:
        return "it is no finite number"
    return None


def unshowable(token: str) -> str | None:
    """Say what keeps a token from being shown to a server in a header; None where nothing does."""
    if all(char.isprintable() and ord(char) < 256 for char in token):
        return None
    return "it holds a line end, or another character that no header can carry"


class Client:
    """One server, by its address, and whom it is told that we are."""

    def __init__(self, url: str, login: Login, seconds: float = _ANSWER_SECONDS) -> None:
        self.url = url.rstrip("/")
        self.name = without_login(self.url)
        self._login, self._seconds = login, seconds
        self._session = requests.Session()
        # A proxy cannot reach what this machine tells only itself.
        self._session.trust_env = not _is_loopback(self.url)
        self._session.auth = self._authorize

    def ask(self, action: str, **fields: Any) -> dict[str, Any]:
        """Send one action; raise `Refused` where the answer is an error, or none comes."""
        sent = {name: value for name, value in fields.items() if value is not None}
        return self._post({"action": action, **sent})

    def pages(self, action: str, rows: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Yield all rows of an action that answers in pages."""
        cursor: str | None = None
        while True:
            answer = self.ask(action, limit=_PAGE, cursor=cursor, **fields)
            yield from answer[rows]
            cursor = answer["next_cursor"]
            if cursor is None:
                return

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._session.post(
                f"{self.url}/schedule",
                data=encoded(body),
                headers={"Content-Type": "application/json"},
                timeout=(_CONNECT_SECONDS, self._seconds),
                allow_redirects=False,
            )
        except requests.ConnectionError as error:
            raise _unreachable(f"No server answers at {self.name}") from error
        except requests.Timeout as error:
            raise _unreachable(f"No answer came from {self.name} in time") from error
        except (requests.RequestException, ValueError) as error:
            # The text of such an error has parts of the URL, which may be those of a password.
            why = str(error) if self.name == self.url else type(error).__name__
            raise _unreachable(f"{self.name} cannot be asked: {why}") from error
        return self._read(response)

    def _read(self, response: requests.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or "status" not in answer:
            text = f"What answers at {self.name} is no task scheduler: HTTP {response.status_code}, no JSON of ours"
            raise Refused({"status": "error", "code": "not_a_scheduler", "message": text}, FAILED)
        if answer["status"] == "error":
            raise Refused(answer, exit_code_of(response.status_code), advice_of(answer))
        return answer

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if (header := self._login.header) is not None:
            request.headers["Authorization"] = header
        return request


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:  # it is no URL, which is told as soon as somebody asks there
        return False


def without_login(url: str) -> str:
    """Return a URL as it may be shown: without a name and a password, even where they are not written right."""
    login, _, rest = url.rpartition("@")
    scheme, slashes, _ = login.partition("//")
    return scheme + slashes + rest if slashes else rest


def _unreachable(message: str) -> Refused:
    hint = "start one with `task-scheduler serve`, or name another with --url or SCHEDULER_URL"
    return Refused({"status": "error", "code": "unreachable", "message": f"{message}: {hint}."}, UNREACHABLE)
