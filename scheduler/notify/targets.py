"""Find out where a target leads, and whether the operator lets tasks name it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from scheduler.alerts import TARGET_FORMS, Expect, Notify, Target, is_name, read_target
from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, Problem, nearest, shorten


def find_target(written: Any, config: SchedulerConfig, field: str = "to") -> Target:
    """Return where a target leads; raise `InvalidRequest` where it is none, or none that a task may name.

    Messages are sent by the server, outside every sandbox: whoever may create tasks could send requests
    to whatever the server can reach. So URLs are an operator's to allow.
    """
    named = config.targets
    if is_name(written):
        if written in named:
            return named[written]
        guess = nearest(written, named)
        hint = f". Did you mean '{guess}'?" if guess else ""
        raise _refusal(field, written, config, f"no target has the name '{written}'{hint}", guess)
    try:
        target = read_target(written)
    except ValueError as error:
        raise _refusal(field, written, config, str(error), _meant(written)) from error
    if fault := _fault(target, config):
        raise _refusal(field, written, config, fault, next(iter(named), None))
    return target


def _fault(target: Target, config: SchedulerConfig) -> str | None:
    if target.kind == "mailto":
        return None if config.smtp else "e-mail needs a mail server, and none is set (SCHEDULER_SMTP_URL)"
    if target.kind == "apprise":
        allowed, what = f"{target.scheme}://", f"services of '{target.scheme}://'"
    else:
        allowed, what = target.host, f"the host '{target.host}'"
    if allowed not in config.notify_hosts:
        return (
            f"{what} may not be named by tasks: an operator allows it by SCHEDULER_NOTIFY_HOSTS='{allowed}', or "
            "gives the whole target a name in SCHEDULER_NOTIFY_TARGETS"
        )
    if target.kind == "webhook" and config.webhook_secret is None:
        return "webhooks are signed, and no secret is set (SCHEDULER_WEBHOOK_SECRET)"
    return None


def _refusal(field: str, written: Any, config: SchedulerConfig, text: str, suggestion: Any) -> InvalidRequest:
    names = list(config.targets)
    accepted = [*names, *TARGET_FORMS[0 if not names else 1 :]]
    known = f" Named targets: {', '.join(names)}." if names else " No target has a name on this server."
    message = f"'{field}': {text if text.endswith('?') else f'{text}.'}{known}"
    return InvalidRequest([Problem(field, message, shorten(written), accepted, suggestion)])


def _meant(written: Any) -> Any:
    """Return the target that was most likely meant."""
    if not isinstance(written, str):
        return None
    if written.lower().startswith(("http://", "https://")):
        return {"webhook": written}
    return f"mailto:{written}" if "@" in written and ":" not in written else None


def effective(notify: Notify | None, config: SchedulerConfig) -> Notify | None:
    """Return who is told what about a task that says `notify`; None where nobody is told anything."""
    found = config.notify_default if notify is None else notify.over(config.notify_default)
    if found is None or not found.to:
        return None
    if found.every_minutes is None:
        found = found.model_copy(update={"every_minutes": config.notify_every_minutes})
    return found


def problems_of(notify: Notify | None, expect: Expect | None, config: SchedulerConfig) -> list[Problem]:
    """Return what is wrong with what a task says of notifications."""
    problems = target_problems((notify and notify.to) or (), config)
    missing = "name somebody there, or an operator does so for all tasks in SCHEDULER_NOTIFY_DEFAULT"
    if notify is not None and notify.to is None and effective(notify, config) is None:
        text = f"'notify.to' is required, since nobody is told by default: {missing}"
        problems.append(Problem("notify.to", text, None, list(TARGET_FORMS), code="missing_field"))
    elif expect is not None and effective(notify, config) is None:
        text = f"'expect' is of no use without 'notify.to': {missing}"
        problems.append(Problem("expect", text, expect.model_dump(exclude_none=True)))
    if expect is not None and expect.min_runs > config.keep_runs:
        most = f"at most {config.keep_runs}, since no more runs are kept (SCHEDULER_KEEP_RUNS)"
        text = f"'expect.min_runs' must be {most}, not {expect.min_runs}"
        problems.append(Problem("expect.min_runs", text, expect.min_runs, suggestion=config.keep_runs))
    return problems


def find_labelled(text: str, config: SchedulerConfig) -> Target:
    """Return where the target of a label leads; raise `InvalidRequest` where the settings do not let it any more."""
    return find_target(orjson.loads(text), config)


def target_problems(to: Sequence[Any], config: SchedulerConfig) -> list[Problem]:
    """Return what is wrong with the items of `notify.to`."""
    problems: list[Problem] = []
    for number, written in enumerate(to):
        try:
            find_target(written, config, f"notify.to.{number}")
        except InvalidRequest as error:
            problems.extend(error.problems)
    return problems


def label(written: Any) -> str:
    """Return a target as text: the same for the same target."""
    return orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode()


def shown(text: str) -> str:
    """Return how the target of a label is shown: by its name, its address or its host, without what may be secret."""
    written = orjson.loads(text)
    if is_name(written):
        return str(written)
    target = read_target(written)
    if target.kind == "mailto":
        return f"mailto:{target.address}"
    return f"{target.scheme}://..." if target.kind == "apprise" else f"{target.kind} at {target.host}"
