"""Put a message into words, without secrets. Pure: all that is known is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from scheduler.alerts import Notify
from scheduler.moments import iso_or_none, local
from scheduler.notify.rules import Kind
from scheduler.run import Run, RunStatus
from scheduler.run_facts import run_facts

SUBJECT = "[task-scheduler] {headline}"
BODY = "{headline}.\n\n{details}\n{output}"
MOST_OUTPUT = 4000
"""Characters of a run's output at most."""

_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|cred|auth|private|signature|cookie|dsn", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):([^\s/]+)@")
_SHORTEST_SECRET = 4
MASK = "***"


@dataclass(frozen=True, slots=True)
class News:
    """All that one message tells. `folded` counts by kind what came since the last message and is told with this."""

    kind: Kind
    task_id: str
    name: str | None
    zone: tzinfo
    run: Run | None = None
    since: datetime | None = None
    failures: int = 0
    says: str = ""
    output: str = ""
    count: int = 1
    folded: Mapping[str, int] = field(default_factory=dict)


def headline(news: News) -> str:
    """Return the one sentence of a message, without its full stop."""
    label = f"'{news.name}'" if news.name else f"'{news.task_id}'"
    text = f"{label} {_predicate(news)}"
    return f"{text} (and {news.count - 1} more)" if news.count > 1 else text


def _predicate(news: News) -> str:
    run = news.run
    match news.kind:
        case Kind.FAILURE:
            ends = {RunStatus.INTERRUPTED: "was interrupted", RunStatus.TIMEOUT: "timed out"}
            return ends.get(run.status, "failed") if run else "failed"
        case Kind.TIMEOUT:
            return "timed out"
        case Kind.SUCCESS:
            return "succeeded"
        case Kind.MISSED:
            return f"missed {run.count} fire times" if run and run.count else "missed its time"
        case Kind.LATE:
            return f"started {(run.lateness_ms or 0) / 1000 if run else 0:.0f} s late"
        case Kind.RECOVERY if news.failures:
            return f"works again after {news.failures} failure{'s' * (news.failures != 1)}"
        case _:
            return news.says


def render(notify: Notify, news: News, secrets: Iterable[str]) -> tuple[str, str, dict[str, Any]]:
    """Return subject, text and facts of a message, without secrets."""
    hidden = list(secrets)
    shown = {name: mask(text, hidden) for name, text in _values(news).items()}
    subject = " ".join((notify.subject or SUBJECT).format(**shown).split())
    text = (notify.body or BODY).format(**{**shown, "output": _output_block(shown["output"])}).rstrip() + "\n"
    return clean(subject), clean(text), facts(news, shown["output"], hidden)


def facts(news: News, output: str, hidden: Sequence[str]) -> dict[str, Any]:
    """Return what programs are told: always the same keys."""
    return {
        "name": news.name,
        "reason": mask(news.says or _reason(news.run), hidden) or None,
        "count": news.count,
        "folded": dict(news.folded),
        "failing_since": iso_or_none(news.since, news.zone),
        "failures": news.failures,
        "run": None if news.run is None else _told_of_run(news.run, news.zone, hidden),
        "output": clean(output),
    }


def _told_of_run(run: Run, zone: tzinfo, hidden: Sequence[str]) -> dict[str, Any]:
    """Return the facts of a run without secrets; the task is named beside them."""
    told = run_facts(run, zone)
    del told["task_id"]
    return told | {"reason": mask(_reason(run), hidden) or None}


def _values(news: News) -> dict[str, str]:
    """Return what templates may name: exactly PLACEHOLDERS."""
    run = news.run
    return {
        "task_id": news.task_id,
        "name": news.name or news.task_id,
        "kind": news.kind.value,
        "headline": headline(news),
        "status": run.status.value if run else "",
        "reason": news.says or _reason(run),
        "run_id": run.run_id if run else "",
        "scheduled_for": (local(run.scheduled_for, news.zone) or "") if run else "",
        "started_at": (local(run.started_at, news.zone) or "") if run else "",
        "finished_at": (local(run.finished_at, news.zone) or "") if run else "",
        "attempt": str(run.attempt) if run else "",
        "exit_code": str(run.details.get("exit_code", "")) if run else "",
        "count": str(news.count),
        "output": news.output,
        "details": "".join(f"{name}: {value}\n" for name, value in _details(news) if value),
    }


def _details(news: News) -> list[tuple[str, str | None]]:
    run = news.run
    lines: list[tuple[str, str | None]] = [("Task", news.task_id)]
    if run is not None:
        code = run.details.get("exit_code")
        status = run.status.value + (f", exit code {code}" if code is not None else "")
        lines += [
            ("Run", f"{run.run_id}, attempt {run.attempt}, {run.trigger.value}"),
            ("Status", status),
            ("Reason", _reason(run)),
            ("Hint", run.details.get("hint")),
            ("Scheduled for", local(run.scheduled_for, news.zone)),
            ("Started", local(run.started_at, news.zone)),
            ("Finished", local(run.finished_at, news.zone)),
        ]
    lines.append(("Failing since", local(news.since, news.zone)))
    folded = ", ".join(f"{kind} {number}" for kind, number in news.folded.items())
    lines.append(("Since the last message", folded))
    return lines


def _reason(run: Run | None) -> str:
    return str(run.details.get("reason") or "") if run else ""


def _output_block(output: str) -> str:
    return f"End of the output:\n{output}" if output.strip() else ""


def secret_values(env: Mapping[str, str]) -> list[str]:
    """Return the values of variables whose names sound secret, and each line of those with several."""
    values = [value for name, value in env.items() if _SECRET_NAME.search(name)]
    return values + [line for value in values if "\n" in value for line in value.splitlines()]


def mask(text: str, secrets: Sequence[str]) -> str:
    """Return a text without the secrets, and without passwords in URLs."""
    # One may be part of another: what is left of the longer would give it away.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text)


def end_of(text: str) -> str:
    """Return the end of a text, from the beginning of a line where there is one."""
    if len(text) <= MOST_OUTPUT:
        return text
    end = text[-MOST_OUTPUT:]
    return "…\n" + (end.partition("\n")[2] or end)


def clean(text: str) -> str:
    """Return a text that can be encoded and shown: no half of a surrogate pair, no control characters."""
    kept = "".join(char for char in text if char.isprintable() or char in "\n\t" or ord(char) > 0x9F)
    return kept.encode("utf-8", "replace").decode()
