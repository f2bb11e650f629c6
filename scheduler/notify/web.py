"""Send one HTTP request with limits: no redirect is followed, no long answer read, nothing waited for without end."""

from __future__ import annotations

from collections.abc import Mapping

import requests
from requests.auth import HTTPBasicAuth
from requests.utils import get_auth_from_url, urldefragauth

from scheduler.notify.notifier import NotSent
from scheduler.version import VERSION

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0


def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Send a POST and return how it was answered; raise `NotSent` where that is not with 2xx.

    A redirect would lead the request to a host that nobody has allowed.
    """
    user, password = get_auth_from_url(url)
    try:
        with requests.post(
            urldefragauth(url),
            data=body,
            headers={"User-Agent": f"task-scheduler/{VERSION}", **headers},
            auth=HTTPBasicAuth(user.encode(), password.encode()) if user or password else _no_auth,
            allow_redirects=False,
            stream=True,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
        ) as response:
            answer = f"HTTP {response.status_code}"
    except requests.RequestException as error:
        raise NotSent(_reason(error)) from error
    if not 200 <= response.status_code < 300:
        moved = "; redirects are not followed" if 300 <= response.status_code < 400 else ""
        raise NotSent(f"answered with {answer}{moved}")
    return answer


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from taking a password for the host out of ~/.netrc."""
    return request


def _reason(error: requests.RequestException) -> str:
    """Say what went wrong; the library's own text would repeat the URL."""
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, requests.Timeout):
        return f"no answer within {ANSWER_SECONDS:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate was not accepted, or the other end does not speak TLS"
    if isinstance(error, requests.ConnectionError):
        return "the connection was refused or cut, or the host is not known"
    return f"the request could not be made ({type(error).__name__})"
