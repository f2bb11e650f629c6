"""Hosts in settings: what is one, and what only looks like one."""

from __future__ import annotations

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest


def read(**settings: str) -> SchedulerConfig:
    given = {f"SCHEDULER_{name.upper()}": text for name, text in settings.items()}
    return SchedulerConfig.read_environment({"HOME": "/nowhere", "SCHEDULER_CONFIG": "/dev/null", **given})


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("localhost", "localhost"),
        ("my-host_2.example.com", "my-host_2.example.com"),
        (" 127.0.0.1 ", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("::", "::"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_where_to_listen(text: str, host: str) -> None:
    assert read(host=text).host == host


def test_brackets_do_not_take_an_address_off_loopback() -> None:
    assert read(host="[::1]").on_loopback


@pytest.mark.parametrize(
    "text",
    [
        *("http://127.0.0.1", "127.0.0.1:10800", "unix:/tmp/x", "/tmp/x", "[localhost]", "[]", "[::1]:80"),
        *("two words", "u@host", " ", "*"),
    ],
)
def test_nowhere_to_listen(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"'host': .* is no address: write '127\.0\.0\.1', '::1'"):
        read(host=text)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("scheduler,scheduler:10800", ("scheduler", "scheduler:10800")),
        ("scheduler, ci.example.org:8443 ,", ("scheduler", "ci.example.org:8443")),
        ("[fd00::5],[fd00::5]:80,fd00::5", ("[fd00::5]", "[fd00::5]:80", "fd00::5")),
        ("10.0.0.5:80", ("10.0.0.5:80",)),
    ],
)
def test_what_requests_may_carry(text: str, hosts: tuple[str, ...]) -> None:
    assert read(allowed_hosts=text).allowed_hosts == hosts


@pytest.mark.parametrize(
    "text",
    ["http://scheduler:10800", "//scheduler", "*", "*.example.org", "scheduler/x", "scheduler:", "a b", "[scheduler]"],
)
def test_what_no_request_carries(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is no Host: write a name or address"):
        read(allowed_hosts=f"scheduler,{text}")
