"""The guard: Host, Origin, token, rate, size and media type."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.config import Rate, SchedulerConfig
from scheduler.errors import LimitReached
from scheduler.http.guard import MOST_BYTES, RateLimiter
from scheduler.http.token import read_token
from tests.http.conftest import Api, check_answer

STATUS = b'{"action": "status"}'


# --- Host -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:10800",
        "localhost:1",
        "localhost:",
        "127.0.0.1",
        "127.0.0.1:10800",
        "[::1]",
        "[::1]:10800",
        "scheduler",
        "Scheduler:10800",
        "ci.example.org:8443",
        "[fd00::5]:10800",
    ],
)
def test_hosts_that_are_known(standing: Callable[..., Api], host: str) -> None:
    api = standing(allowed_hosts=("scheduler", "ci.example.org:8443", "[fd00::5]"))
    assert api.raw(STATUS, Host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:10800",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "localhost.",
        "ci.example.org",
        "ci.example.org:80",
        "scheduler.evil.example",
        "user@localhost",
        "localhost@evil.example",
        "localhost:80:80",
        "localhost:evil.example",
        "localhost:80.evil.example",
        "[::1].evil.example",
        "[::1",
        "::1]",
        "[]",
        ":10800",
        "localhost/evil",
        "localhost evil",
        "localhost,evil.example",
        "0.0.0.0",
        "192.168.1.5",
        "xn--lcalhost-55a",
        "ⅼocalhost",
        "<script>",
        "x" * 5000,
    ],
)
def test_hosts_that_are_not(standing: Callable[..., Api], host: str) -> None:
    api = standing(allowed_hosts=("scheduler", "ci.example.org:8443"))
    for response in (api.raw(STATUS, Host=host), api.client.get("/healthz", headers={"Host": host})):
        check_answer(response)
        assert (response.status_code, response.json["code"]) == (403, "forbidden_host")
        assert "SCHEDULER_ALLOWED_HOSTS" in response.json["message"]
        assert len(response.data) < 1000


def test_a_host_is_required(shared: Api) -> None:
    response = shared.client.post(
        "/schedule", data=STATUS, content_type="application/json", environ_overrides={"HTTP_HOST": ""}
    )
    assert (response.status_code, response.json["code"]) == (403, "forbidden_host")
    assert "missing" in response.json["message"]


def test_the_address_it_listens_on_is_known(standing: Callable[..., Api]) -> None:
    api = standing(host="10.1.2.3", token="t")
    assert api.raw(STATUS, Host="10.1.2.3:10800", Authorization="Bearer t").status_code == 200


@pytest.mark.parametrize(
    ("reached", "host", "number"),
    [
        (("192.168.1.5", 10800), "192.168.1.5:10800", 200),
        (("::ffff:192.168.1.5", 10800, 0, 0), "192.168.1.5:10800", 200),
        (("fe80::1%eth0", 10800, 0, 2), "[fe80::1]:10800", 200),
        (("192.168.1.5", 10800), "192.168.1.6:10800", 403),
        ("/run/scheduler.sock", "localhost", 200),
        ("/run/scheduler.sock", "/run/scheduler.sock", 403),
    ],
)
def test_the_address_that_was_reached_is_known(shared: Api, reached: Any, host: str, number: int) -> None:
    class Connection:
        def getsockname(self) -> Any:
            return reached

    response = shared.client.post(
        "/schedule",
        data=STATUS,
        headers={"Host": host},
        content_type="application/json",
        environ_overrides={"gunicorn.socket": Connection()},
    )
    assert response.status_code == number


# --- Origin ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "http://localhost:10800", "https://127.0.0.1:3000", "http://[::1]:10800", "https://scheduler"],
)
def test_origins_that_are_known(standing: Callable[..., Api], origin: str) -> None:
    assert standing(allowed_hosts=("scheduler",)).raw(STATUS, Origin=origin).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "http://localhost.evil.example",
        "http://evil.example:10800",
        "http://localhost@evil.example",
        "http://evil.example@localhost",
        "http://localhost:10800.evil.example",
        "http://localhost:10800@evil.example",
        "http://[::1].evil.example",
        "http://[::1",
        "file://",
        "file://localhost",
        "ftp://localhost",
        "chrome-extension://localhost",
        "localhost",
        "//localhost",
        "http:localhost",
        "http://",
        "http://localhost http://evil.example",
        "javascript:alert(1)",
    ],
)
def test_origins_that_are_not(shared: Api, origin: str) -> None:
    response = shared.raw(STATUS, Origin=origin)
    check_answer(response)
    assert (response.status_code, response.json["code"]) == (403, "forbidden_origin")
    assert "SCHEDULER_ALLOWED_HOSTS" in response.json["message"]


def test_a_foreign_page_reads_nothing_and_changes_nothing(api: Api) -> None:
    api.raw(b'{"action": "start"}', Origin="https://evil.example")
    assert api.ok("status")["state"] == "stopped"
    assert api.client.get("/schedule", headers={"Host": "localhost", "Origin": "null"}).status_code == 403


# --- token ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "passes"),
    [
        ("Bearer s3cret", True),
        ("bearer s3cret", True),
        ("BEARER   s3cret ", True),
        (None, False),
        ("Bearer", False),
        ("Bearer ", False),
        ("Bearer wrong", False),
        ("Bearer s3cre", False),
        ("Bearer s3cret1", False),
        ("Bearer S3CRET", False),
        ("Basic s3cret", False),
        ("s3cret", False),
        ("Token s3cret", False),
        ("Bearer s3cret, Bearer x", False),
        ("Bearer schl\u00fcssel", False),
    ],
)
def test_the_token(standing: Callable[..., Api], header: str | None, passes: bool) -> None:
    api = standing(token="s3cret")
    for response in (
        api.raw(STATUS, Authorization=header),
        api.client.get("/schedule", headers={"Host": "localhost", **({"Authorization": header} if header else {})}),
    ):
        check_answer(response)
        if passes:
            assert response.status_code == 200
        else:
            assert (response.status_code, response.json["code"]) == (401, "unauthorized")
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert "Authorization: Bearer" in response.json["message"]
            assert "s3cret" not in response.text


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_token_of_other_letters(standing: Callable[..., Api], encoding: str) -> None:
    api = standing(token="schlüssel")
    header = "Bearer " + "schlüssel".encode(encoding).decode("latin-1")
    assert api.raw(STATUS, Authorization=header).status_code == 200
    assert api.raw(STATUS, Authorization="Bearer schlussel").status_code == 401


def test_the_message_tells_missing_from_wrong(standing: Callable[..., Api]) -> None:
    api = standing(token="s3cret")
    assert "missing" in api.raw(STATUS).json["message"]
    assert "wrong" in api.raw(STATUS, Authorization="Bearer x").json["message"]


def test_the_token_is_asked_for_before_the_body_is_read(standing: Callable[..., Api]) -> None:
    assert standing(token="s3cret").raw(b"{", Content_Type="text/plain").status_code == 401


def test_the_token_never_reaches_a_run(make_api: Callable[..., Api]) -> None:
    api = make_api(token="s3cret")
    send = {"Authorization": "Bearer s3cret"}
    create = {"action": "create", "task_id": "t", "type": "command", "interval": "hourly", "command": "env"}
    assert api.raw(json.dumps(create), **send).status_code == 200
    response = api.raw(b'{"action": "run_now", "task_id": "t", "wait": true}', **send)
    assert "s3cret" not in response.text
    assert "SCHEDULER_TASK_ID=t" in response.json["run"]["stdout"]


def config(folder: Path, **settings: Any) -> SchedulerConfig:
    folder.mkdir(exist_ok=True)
    return SchedulerConfig(data_dir=folder, allowed_dirs=(folder.parent / "workspace",), **settings)


def test_no_token_on_loopback(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.53"):
        assert read_token(config(tmp_path / "data", host=host), exposed=False) is None
    assert list((tmp_path / "data").iterdir()) == []


def test_off_loopback_one_is_made_and_shown_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = config(tmp_path / "data", host="0.0.0.0")
    with caplog.at_level(logging.WARNING):
        token = read_token(settings, exposed=False)
        assert token is not None
        assert len(token) >= 32
        assert caplog.text.count(token) == 1
        caplog.clear()
        assert read_token(settings, exposed=False) == token
        assert read_token(settings, exposed=True) == token
        assert token not in caplog.text
    [file] = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == token


def test_it_is_made_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        read_token(config(tmp_path / "data", host="0.0.0.0"), exposed=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data" / "token").stat().st_mode) == 0o600


def test_what_counts_is_where_it_listens(tmp_path: Path) -> None:
    assert read_token(config(tmp_path / "data"), exposed=True)


def test_an_empty_token_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "token").write_text("\n")
    made = read_token(config(tmp_path / "data", host="0.0.0.0", token="  "), exposed=False)
    assert made
    assert (tmp_path / "data" / "token").read_text().strip() == made
    assert stat.S_IMODE((tmp_path / "data" / "token").stat().st_mode) == 0o600


def test_a_token_that_is_set_is_kept_nowhere(tmp_path: Path) -> None:
    assert read_token(config(tmp_path / "data", host="0.0.0.0", token="mine"), exposed=True) == "mine"
    assert list((tmp_path / "data").iterdir()) == []


# --- rate -----------------------------------------------------------------------------------


class Hand:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(limiter: RateLimiter, client: str = "a", at_most: int = 1000) -> int:
    """Return how many requests pass before one is refused."""
    for number in range(at_most):
        try:
            limiter.take(client)
        except LimitReached:
            return number
    return at_most


def test_a_burst_then_a_flow() -> None:
    clock = Hand()
    limiter = RateLimiter(Rate(requests=10, seconds=1.0), clock)
    assert taken(limiter) == 10
    clock.now += 0.05
    assert taken(limiter) == 0
    clock.now += 0.0501
    assert taken(limiter) == 1
    clock.now += 100
    assert taken(limiter) == 10


def test_each_client_has_its_own() -> None:
    limiter = RateLimiter(Rate(requests=3, seconds=60.0), Hand())
    assert taken(limiter, "a") == 3
    assert taken(limiter, "b") == 3
    assert taken(limiter, "a") == 0


def test_it_says_when_to_come_back() -> None:
    clock = Hand()
    limiter = RateLimiter(Rate(requests=2, seconds=60.0), clock)
    taken(limiter)
    with pytest.raises(LimitReached) as refused:
        limiter.take("a")
    assert refused.value.retry_after == pytest.approx(30)
    clock.now += refused.value.retry_after + 0.001
    limiter.take("a")


def test_clients_long_gone_are_forgotten() -> None:
    clock = Hand()
    limiter = RateLimiter(Rate(requests=5, seconds=1.0), clock)
    for number in range(10_000):
        limiter.take(f"client {number}")
    clock.now += 10
    limiter.take("a")
    assert len(limiter._buckets) == 1


def test_too_many_requests(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="3/hour")
    assert [api.raw(STATUS).status_code for _ in range(4)] == [200, 200, 200, 429]
    response = api.raw(STATUS)
    check_answer(response)
    assert response.json["code"] == "rate_limited"
    assert 1000 < int(response.headers["Retry-After"]) <= 1200
    assert "SCHEDULER_RATE_LIMIT" in response.json["message"]
    assert api.client.get("/healthz", headers={"Host": "localhost"}).status_code == 200


def test_guessing_tokens_is_slowed_down(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="3/hour", token="s3cret")
    answers = [api.raw(STATUS, Authorization=f"Bearer {number}").status_code for number in range(5)]
    assert answers == [401, 401, 401, 429, 429]


# --- size and type --------------------------------------------------------------------------


def body_of(size: int) -> bytes:
    return b'{"action": "status"' + b" " * (size - 20) + b"}"


@pytest.mark.parametrize(("size", "number"), [(MOST_BYTES - 1, 200), (MOST_BYTES, 200), (MOST_BYTES + 1, 413)])
def test_the_limit_of_a_body(shared: Api, size: int, number: int) -> None:
    assert len(body_of(size)) == size
    response = shared.raw(body_of(size))
    check_answer(response)
    assert response.status_code == number
    if number == 413:
        assert response.json["code"] == "body_too_large"
        assert "1048576" in response.json["message"]


def test_a_body_without_length_has_the_same_limit(shared: Api) -> None:
    from io import BytesIO

    for size, number in ((MOST_BYTES, 200), (MOST_BYTES + 1, 413)):
        response = shared.client.post(
            "/schedule",
            input_stream=BytesIO(body_of(size)),
            headers={"Host": "localhost"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert response.status_code == number


@pytest.mark.parametrize(
    ("media_type", "passes"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("Application/JSON;charset=UTF-8", True),
        (None, False),
        ("", False),
        ("text/plain", False),
        ("text/plain;application/json", False),
        ("text/json", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/jsonp", False),
        ("application/ld+json", False),
        ("application", False),
    ],
)
def test_media_types(shared: Api, media_type: str | None, passes: bool) -> None:
    response = shared.raw(STATUS, Content_Type=media_type)
    check_answer(response)
    if passes:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.json["code"]) == (415, "unsupported_media_type")
        assert "Content-Type: application/json" in response.json["message"]
        assert ("missing" in response.json["message"]) == (not media_type)
