"""Settings of the environment: which values are refused, and with which words."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, SchedulerError
from scheduler.store import check_url


def read(**settings: str) -> SchedulerConfig:
    given = {f"SCHEDULER_{name.upper()}": text for name, text in settings.items()}
    return SchedulerConfig.read_environment({"HOME": "/nowhere", "SCHEDULER_CONFIG": "/dev/null", **given})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "8080", 8080),
        ("stop_grace_seconds", "2678400", 2678400),
        ("stop_grace_seconds", "1e3", 1000),
        ("keep_runs", "1000000000000", 10**12),
        ("task_user", "1000:4294967294", "1000:4294967294"),
    ],
)
def test_what_is_taken(name: str, text: str, value: Any) -> None:
    assert getattr(read(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("port", "1_0", "'1_0' is no number: write its digits alone"),
        ("max_workers", "1_0", "'1_0' is no number"),
        ("keep_days", "3_0.5", "'3_0.5' is no number"),
        ("stop_grace_seconds", "inf", "must be a finite number"),
        ("stop_grace_seconds", "nan", "must be"),
        ("stop_grace_seconds", "2678401", "less than or equal to 2678400"),
        ("keep_runs", "99999999999999999999", "less than or equal to 1000000000000"),
        ("keep_events", "99999999999999999999", "less than or equal to 1000000000000"),
        ("task_user", "99999999999", "'99999999999' is no user or group: their numbers end at 4294967294"),
        ("task_user", "4294967295", "'4294967295' is no user or group"),
        ("task_user", "1:4294967295", "'4294967295' is no user or group"),
        ("task_user", "١", "must match pattern"),
    ],
)
def test_what_is_refused(name: str, text: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**{name: text})
    assert f"'{name}'" in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize("url", ["sqlite:////srv/x.db", "sqlite+pysqlite:////srv/x.db", "postgresql+psycopg://h/d"])
def test_a_database_that_is_taken(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite+aiosqlite:////srv/x.db", "sqlite+pysqlcipher:////srv/x.db", "sqlite://", "sqlite:///:memory:"),
        *("postgresql+asyncpg://h/d", "mysql://h/d"),
    ],
)
def test_a_database_that_is_refused(url: str) -> None:
    with pytest.raises(SchedulerError, match="SCHEDULER_DATABASE_URL"):
        check_url(url)
