"""Forty tasks as a small company might have them: what each does, when, how long it takes, and how it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoTask:
    """One task of the demonstration. `seconds` is what a run of its history took, `failing` how many of a hundred.

    `works` is a shell command that prints something and takes a moment, since the tasks really run.
    """

    task_id: str
    interval: str
    works: str
    tags: tuple[str, ...]
    seconds: float
    failing: float = 0.0
    fields: dict[str, Any] = field(default_factory=dict)
    output: str = ""
    error: str = ""


def _steps(number: int, pause: float, what: str) -> str:
    """Return a command that prints its steps, one after the other."""
    return f'for i in $(seq {number}); do echo "{what} $i of {number}"; sleep {pause}; done'


_BERLIN = {"timezone": "Europe/Berlin"}
_YORK = {"timezone": "America/New_York"}

TASKS = (
    DemoTask("backup-database", "daily at 02:30", _steps(30, 1, "table"), ("backup", "database"), 412, 3,
             {"name": "Back the database up", "priority": "high", "max_retries": 1, "timeout_seconds": 1800, **_BERLIN},
             "dumping 48 tables\nwrote 3.1 GiB\nchecked the sum\n", "pg_dump: error: connection to server was lost\n"),
    DemoTask("backup-documents", "daily at 03:15", _steps(20, 1, "folder"), ("backup",), 780, 0,
             {"timeout_seconds": 1800, **_BERLIN},
             "81,204 files, 312 changed\n"),
    DemoTask("backup-offsite", "every sunday at 04:00", _steps(60, 1, "part"), ("backup",), 3300, 8,
             {"timeout_seconds": 7200, **_BERLIN}, "sent 41 GiB\n", "rsync: connection unexpectedly closed\n"),
    DemoTask("verify-restore", "every monday at 05:00", _steps(10, 1, "check"), ("backup", "checks"), 960, 12,
             {"timeout_seconds": 1800, **_BERLIN},
             "restored into a scratch database: 48 tables, rows as expected\n", "table invoices: 3 rows fewer\n"),
    DemoTask("ping-website", "every 10 minutes", "sleep 0.3; echo 200 OK in 83 ms", ("monitoring", "web"), 0.4, 1.2, {},
             "200 OK in 83 ms\n", "curl: (28) timed out after 10 seconds\n"),
    DemoTask("ping-api", "every 5 minutes", "sleep 0.2; echo 200 OK in 41 ms", ("monitoring", "web"), 0.3, 0.6, {},
             "200 OK in 41 ms\n", "503 Service Unavailable\n"),
    DemoTask("check-certificates", "daily at 07:00", "echo 14 certificates, the next ends in 31 days",
             ("monitoring", "security"), 4.2, 0, {}, "14 certificates, the next ends in 31 days\n"),
    DemoTask("check-disk", "every hour", "df -h . | tail -1", ("monitoring",), 0.2, 0.5, {}, "/dev/sda2 61% of 480G\n",
             "/var is 96 % full\n"),
    DemoTask("check-links", "every wednesday at 06:00", _steps(15, 0.5, "page"), ("web", "checks"), 210, 25,
             {"timeout_seconds": 900},
             "1,842 links, all lead somewhere\n", "3 of 1,842 links lead nowhere:\n  /help/old\n  /press/2019\n"),
    DemoTask("report-sales", "weekdays at 08:00", _steps(8, 0.5, "region"), ("reports", "finance"), 38, 2,
             {"name": "Sales of yesterday", **_YORK}, "5 regions, sent to 12 people\n", "KeyError: 'region'\n"),
    DemoTask("report-weekly", "every friday at 16:00", _steps(8, 1, "chapter"), ("reports",), 140, 0, _YORK,
             "22 pages\n"),
    DemoTask("report-month-end", "last day of the month at 23:00", _steps(12, 1, "ledger"), ("reports", "finance"),
             1250, 0,
             {"priority": "high", "timeout_seconds": 3600, **_BERLIN}, "closed\n"),
    DemoTask("invoices", "1st day of the month at 06:00", _steps(40, 0.5, "invoice"), ("finance",), 640, 0,
             {"priority": "urgent", "timeout_seconds": 1800, **_BERLIN}, "418 invoices\n"),
    DemoTask("exchange-rates", "every 6 hours", "sleep 1; echo 32 rates", ("finance",), 1.6, 3, {"max_retries": 2},
             "32 rates\n", "the bank answers 502\n"),
    DemoTask("import-orders", "every 15 minutes between 08:00 and 18:00", _steps(6, 0.5, "order"), ("shop",), 7, 0.8,
             _BERLIN, "6 orders\n", "order 88213: no such customer\n"),
    DemoTask("export-catalogue", "daily at 01:00", _steps(10, 1, "shelf"), ("shop",), 95, 1, _BERLIN,
             "12,903 articles\n",
             "sftp: permission denied\n"),
    DemoTask("sync-stock", "every hour", _steps(5, 0.5, "store"), ("shop",), 12, 2.5, {"max_retries": 1},
             "5 stores, 88 changes\n", "store 3 does not answer\n"),
    DemoTask("price-rules", "every 4 hours", "sleep 2; echo 9 rules, 211 prices", ("shop",), 3.5, 0, {},
             "9 rules, 211 prices\n"),
    DemoTask("clean-sessions", "every 3 hours", "sleep 0.5; echo removed 1,204 sessions", ("cleaning", "web"), 2.2,
             0, {},
             "removed 1,204 sessions\n"),
    DemoTask("clean-temp", "daily at 04:45", "sleep 1; echo removed 2.1 GiB", ("cleaning",), 18, 0, {},
             "removed 2.1 GiB\n"),
    DemoTask("vacuum-database", "every sunday at 01:30", _steps(20, 1, "table"), ("cleaning", "database"), 1900, 0,
             _BERLIN,
             "48 tables\n"),
    DemoTask("rotate-logs", "daily at 00:05", "sleep 0.2; echo 12 files", ("cleaning",), 0.9, 0, {}, "12 files\n"),
    DemoTask("index-search", "every 2 hours", _steps(12, 0.5, "part"), ("web",), 66, 1.5, {"max_instances": 1},
             "22,411 documents\n", "the index is locked\n"),
    DemoTask("build-website", "every 6 hours", _steps(10, 0.7, "page"), ("web", "builds"), 84, 4, {}, "1,842 pages\n",
             "build failed: template 'footer' is missing\n"),
    DemoTask("tests-nightly", "daily at 00:30", _steps(20, 0.6, "test"), ("builds", "checks"), 520, 14,
             {"timeout_seconds": 900}, "1,204 passed\n", "2 failed, 1202 passed: test_refund, test_totals\n"),
    DemoTask("tests-browser", "daily at 01:45", _steps(15, 1, "scenario"), ("builds", "checks"), 880, 9,
             {"timeout_seconds": 1200}, "64 scenarios\n", "scenario 'checkout' timed out\n"),
    DemoTask("update-dependencies", "every tuesday at 05:00", _steps(6, 1, "package"), ("builds", "security"), 150,
             5, {},
             "4 updates proposed\n", "conflict in requirements\n"),
    DemoTask("scan-images", "daily at 05:30", _steps(9, 1, "image"), ("security",), 340, 2, {"timeout_seconds": 900},
             "nothing serious\n",
             "1 critical finding\n"),
    DemoTask("audit-logins", "daily at 06:15", "sleep 1; echo nothing unusual", ("security",), 9, 0, {},
             "nothing unusual\n"),
    DemoTask("block-lists", "every 8 hours", "sleep 1; echo 8,112 addresses", ("security",), 5, 1, {},
             "8,112 addresses\n",
             "the list is empty, kept the old one\n"),
    DemoTask("newsletter", "every thursday at 10:00", _steps(20, 0.5, "batch"), ("mail",), 760, 0, _YORK,
             "41,200 letters\n"),
    DemoTask("reminders", "weekdays at 09:00", _steps(5, 0.5, "reminder"), ("mail",), 14, 1, _BERLIN, "17 reminders\n",
             "smtp: 421 too many connections\n"),
    DemoTask("bounces", "every 4 hours", "sleep 1; echo 3 bounces", ("mail",), 2.8, 0.5, {}, "3 bounces\n",
             "imap: timeout\n"),
    DemoTask("train-model", "every saturday at 02:00", _steps(60, 1, "epoch"), ("models",), 9200, 6,
             {"timeout_seconds": 14400, "priority": "low"}, "loss 0.0312\n", "out of memory\n"),
    DemoTask("score-customers", "daily at 03:30", _steps(12, 1, "segment"), ("models",), 260, 2,
             {"priority": "low", "timeout_seconds": 900},
             "88,120 customers\n", "no model of this week\n"),
    DemoTask("weather", "every 3 hours", "sleep 0.4; echo 4 °C, rain", ("models",), 1.1, 4, {}, "4 °C, rain\n",
             "the service asks to pay\n"),
    DemoTask("sensors-hall-2", "every 20 minutes", "sleep 0.3; echo 21.4 °C", ("monitoring",), 0.6, 7, {"paused": True},
             "21.4 °C\n", "no answer from 10.2.0.17\n"),
    DemoTask("old-importer", "daily at 11:00", "echo nothing to import", ("shop",), 3, 40, {"enabled": False},
             "nothing to import\n", "the old API is gone\n"),
    DemoTask("long-watch", "every 10 minutes", _steps(400, 1, "minute of the watch, second"), ("monitoring",), 590, 0,
             {"keep": 150, "timeout_seconds": 900}, "all quiet\n"),
    DemoTask("grüße/täglich 100%", "daily at 12:00", "echo grüß dich", ("mail",), 0.5, 0,
             {"name": "Greetings at noon", **_BERLIN},
             "grüß dich\n"),
)  # fmt: skip
