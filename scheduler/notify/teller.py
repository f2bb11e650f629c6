"""Decide who is told what, in the very transaction that writes what happened: neither is on disk without the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from scheduler.alerts import Notify
from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest
from scheduler.ids import new_run_id
from scheduler.models import Job, utc_now
from scheduler.notify import rules
from scheduler.notify.rules import Kind, Standing
from scheduler.notify.targets import effective, find_labelled, label
from scheduler.notify.templates import News, end_of, mask, render, secret_values
from scheduler.phrases import read_zone
from scheduler.run import Run, RunStatus
from scheduler.store import Connection, deliveries, is_trouble
from scheduler.store.deliveries import Delivery
from tasks.sandbox import read_output
from tasks.sandbox.output import Stream

log = logging.getLogger(__name__)

LINES = 60
MAIL_ROUTE = "mail server"
_PLAIN = Notify.model_validate({})
_STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


@dataclass(frozen=True, slots=True)
class Matter:
    """What messages are about: a job, who is told of it, and the event that is to be told once."""

    job: Job
    job_key: int
    event: str
    notify: Notify

    def news(self, kind: Kind, **known: Any) -> News:
        """Return what one message tells."""
        return News(kind, self.job.task_id, self.job.name, read_zone(self.job.timezone or "UTC"), **known)


class Teller:
    """Write a row for each message that something deserves. Tasks that tell nobody cost nothing.

    `written` is set when there may be new rows, which are on disk a moment later.
    """

    def __init__(self, config: SchedulerConfig, log_dir: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._config, self._log_dir, self._now = config, log_dir, now
        self.written = threading.Event()

    def end_of_output(self, job: Job, run: Run) -> str:
        """Return the end of what a run printed, without secrets, if a message about it may be written."""
        if effective(job.notify, self._config) is None or run.started_at is None:
            return ""
        try:
            texts = {name: read_output(self._log_dir, run.run_id, name, tail_lines=LINES).text for name in _STREAMS}
        except OSError as error:
            log.warning("the output of a run cannot be read: %s", error, extra={"run_id": run.run_id})
            return f"(it cannot be read: {error.strerror})"
        both = all(text.strip() for text in texts.values())
        joined = "".join(f"--- {name}\n{text}" if both else text for name, text in texts.items() if text.strip())
        return end_of(mask(joined, self._secrets(job)))

    def record(self, connection: Connection, job: Job, run: Run, output: str = "", more: bool = False) -> None:
        """Write what a run deserves that has just started, ended or been missed.

        `more` says that another attempt follows, so that this end is none yet.
        """
        notify = effective(job.notify, self._config)
        if notify is None:
            return
        matter = Matter(job, run.job_key, run.run_id, notify)
        try:
            with connection.begin_nested():
                self._record(connection, matter, run, output, more)
        except Exception as error:
            # A message that cannot be written must not keep a run from starting or ending.
            if is_trouble(error):
                raise
            log.exception("a notification could not be written", extra={"task_id": job.task_id, "run_id": run.run_id})

    def _record(self, connection: Connection, matter: Matter, run: Run, output: str, more: bool) -> None:
        now = self._now()
        before = self.standing(connection, run.job_key)
        after, kinds = _judge(matter, run, before, more, now)
        for kind in kinds:
            known = before if kind is Kind.RECOVERY else after
            says = f"took {(run.duration_ms or 0) / 1000:.0f} s, longer than expected" if kind is Kind.OVERLONG else ""
            news = matter.news(
                kind, run=run, output=output, since=known.failing_since, failures=known.failures, says=says
            )
            self.tell(connection, matter, news)
        self.keep(connection, run.job_key, before, after)
        ping = rules.judge_ping(run, more)
        if ping is not None:
            self._ping(connection, matter, matter.news(ping, run=run, output=output, says=run.status.value))

    def standing(self, connection: Connection, job_key: int) -> Standing:
        """Return how a job stands."""
        return rules.read_standing(deliveries.standing(connection, job_key))

    def keep(self, connection: Connection, job_key: int, before: Standing, after: Standing) -> None:
        """Remember how a job stands, where that has changed."""
        if after != before:
            deliveries.keep_standing(connection, job_key, after.as_json())

    def tell(self, connection: Connection, matter: Matter, news: News) -> None:
        """Write a message to each target that is no ping; one that still waits for its time takes up the newer."""
        now = self._now()
        for target in self._targets(matter, pings=False):
            waiting = deliveries.held(connection, matter.job_key, target, now)
            if waiting is None:
                at = rules.planned_at(matter.notify, deliveries.last_planned(connection, matter.job_key, target), now)
                deliveries.add(connection, self._delivery(matter, matter.notify, news, target, at))
            else:
                newer = _folded(news, waiting)
                message = self._message(matter, matter.notify, newer)
                deliveries.fold(connection, waiting.delivery_id, newer.kind.value, message, newer.count)
        self.written.set()

    def _ping(self, connection: Connection, matter: Matter, news: News) -> None:
        for target in self._targets(matter, pings=True):
            deliveries.add(connection, self._delivery(matter, _PLAIN, news, target, self._now()))
            self.written.set()

    def _targets(self, matter: Matter, pings: bool) -> list[str]:
        wanted = [label(written) for written in matter.notify.to or ()]
        return [target for target in dict.fromkeys(wanted) if (self._kind(target) == "ping") is pings]

    def _kind(self, target: str) -> str | None:
        """Return of which kind a target is; None where the settings know it no more, which its delivery will tell."""
        try:
            return find_labelled(target, self._config).kind
        except InvalidRequest:
            return None

    def _message(self, matter: Matter, notify: Notify, news: News) -> dict[str, Any]:
        subject, text, facts = render(notify, news, self._secrets(matter.job))
        return {"subject": subject, "text": text, "facts": facts}

    def _delivery(self, matter: Matter, notify: Notify, news: News, target: str, at: datetime) -> Delivery:
        now = self._now()
        return Delivery(
            delivery_id=new_run_id(now),
            job_key=matter.job_key,
            task_id=matter.job.task_id,
            event=matter.event,
            kind=news.kind.value,
            target=target,
            # All e-mail goes through one mail server, and shares its fate.
            route=MAIL_ROUTE if self._kind(target) == "mailto" else target,
            message=self._message(matter, notify, news),
            count=news.count,
            created_at=now,
            planned_at=at,
            next_attempt_at=at,
        )

    def _secrets(self, job: Job) -> list[str]:
        config = self._config
        own = [config.token, config.webhook_secret, config.smtp.password if config.smtp else None]
        own += [target.secret for target in config.targets.values()]
        return secret_values(job.env) + [secret.get_secret_value() for secret in own if secret is not None]


def _judge(matter: Matter, run: Run, before: Standing, more: bool, now: datetime) -> tuple[Standing, list[Kind]]:
    """Return how the job stands afterwards, and what is told."""
    kinds: list[Kind | None] = []
    after = before
    if run.status is RunStatus.MISSED:
        kinds.append(rules.judge_missed(matter.notify))
    elif run.status is RunStatus.RUNNING:
        kinds.append(rules.judge_start(matter.notify, run))
    else:
        if not more:
            after, kind = rules.judge_end(matter.notify, run, before, now)
            kinds.append(kind)
        after, kind = rules.judge_duration(matter.job.expect, run, after, now)
        kinds.append(kind)
    return after, [kind for kind in kinds if kind is not None]


def _folded(news: News, waiting: Delivery) -> News:
    """Return the news with what waits already counted in."""
    folded = dict(waiting.message["facts"]["folded"])
    folded[waiting.kind] = folded.get(waiting.kind, 0) + 1
    return replace(news, count=waiting.count + 1, folded=folded)
