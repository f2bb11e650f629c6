"""Who may be told: names that an operator gave, and hosts that an operator allowed."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.alerts import Expect, Notify
from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest
from scheduler.notify.targets import effective, find_target, label, problems_of, shown

SECRET = "0123456789abcdef"
CONFIG: dict[str, Any] = {
    "notify_targets": {"ops": "mailto:ops@example.com", "hook": {"webhook": "http://10.0.0.1/x", "secret": "s"}},
    "notify_hosts": "hooks.example.com,slack://",
    "smtp_url": "smtp://localhost",
    "webhook_secret": SECRET,
}


def config(**settings: Any) -> SchedulerConfig:
    return SchedulerConfig(**{**CONFIG, **settings})


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("ops", "mailto"),
        ("hook", "webhook"),  # an operator may name any host
        ("mailto:me@example.com", "mailto"),
        ({"webhook": "https://hooks.example.com/a"}, "webhook"),
        ({"webhook": "https://HOOKS.example.com:8443/a"}, "webhook"),
        ({"ping": "https://hooks.example.com/a"}, "ping"),
        ("slack://TokenA/TokenB/TokenC", "apprise"),
    ],
)
def test_who_may_be_told(written: Any, kind: str) -> None:
    assert find_target(written, config()).kind == kind


@pytest.mark.parametrize(
    ("written", "settings", "says"),
    [
        ("opps", {}, "no target has the name 'opps'. Did you mean 'ops'? Named targets: ops, hook."),
        ("ops", {"notify_targets": None}, "No target has a name on this server."),
        ({"webhook": "http://169.254.169.254/latest"}, {}, "SCHEDULER_NOTIFY_HOSTS='169.254.169.254'"),
        ({"webhook": "http://hooks.example.com@10.0.0.1/"}, {}, "the host '10.0.0.1' may not be named by tasks"),
        ({"webhook": "http://evil.hooks.example.com/"}, {}, "the host 'evil.hooks.example.com' may not"),
        ({"ping": "http://localhost/"}, {}, "SCHEDULER_NOTIFY_TARGETS"),
        ("json://10.0.0.1/", {}, "services of 'json://' may not be named by tasks"),
        ("mailto:me@example.com", {"smtp_url": None}, "SCHEDULER_SMTP_URL"),
        ({"webhook": "https://hooks.example.com/a"}, {"webhook_secret": None}, "SCHEDULER_WEBHOOK_SECRET"),
        ("https://hooks.example.com/a", {}, '"webhook"'),
        ("me@example.com", {}, "is no target"),
    ],
)
def test_who_may_not(written: Any, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        find_target(written, config(**settings), "notify.to.0")
    [problem] = caught.value.problems
    assert says in problem.message
    assert problem.field == "notify.to.0"
    assert problem.got == written
    assert problem.accepted


def test_the_nearest_target_is_suggested() -> None:
    def suggested(written: Any) -> Any:
        with pytest.raises(InvalidRequest) as caught:
            find_target(written, config())
        return caught.value.problems[0].suggestion

    assert suggested("opps") == "ops"
    assert suggested("https://x.org/a") == {"webhook": "https://x.org/a"}
    assert suggested("me@example.com") == "mailto:me@example.com"


def fields_of(notify: Any = None, expect: Any = None, **settings: Any) -> list[str]:
    told = None if notify is None else Notify.model_validate(notify)
    expected = None if expect is None else Expect.model_validate(expect)
    return [problem.field for problem in problems_of(told, expected, config(**settings))]


def test_every_problem_is_told_at_once() -> None:
    assert fields_of({"to": ["ops", "nobody", "nothing"]}) == ["notify.to.1", "notify.to.2"]
    assert fields_of({"to": ["ops"]}, {"every": "1 day", "min_runs": 5000}) == ["expect.min_runs"]


def test_somebody_must_be_told() -> None:
    assert fields_of({"on": ["failure"]}) == ["notify.to"]
    assert fields_of(None, {"every": "1 day"}) == ["expect"]
    assert fields_of({"to": []}, {"every": "1 day"}) == ["expect"]
    assert fields_of({"to": []}) == []
    default = {"notify_default": {"to": ["ops"]}}
    assert fields_of({"on": ["failure"]}, {"every": "1 day"}, **default) == []
    assert fields_of(None, {"every": "1 day"}, **default) == []


def test_who_is_told_in_effect() -> None:
    assert effective(None, config()) is None
    assert effective(Notify.model_validate({"to": []}), config(notify_default={"to": ["ops"]})) is None
    found = effective(Notify.model_validate({"on": ["success"]}), config(notify_default='{"to": ["ops"]}'))
    assert found is not None
    assert (found.on, found.to, found.every_minutes) == (["success"], ["ops"], 5)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("ops", "ops"),
        ("mailto:me@example.com", "mailto:me@example.com"),
        ("slack://TokenA/TokenB", "slack://..."),
        ({"webhook": "https://me:pass@hooks.example.com/secret-path"}, "webhook at hooks.example.com"),
        ({"ping": "https://hc-ping.com/uuid"}, "ping at hc-ping.com"),
    ],
)
def test_targets_are_shown_without_what_may_be_secret(written: Any, text: str) -> None:
    assert shown(label(written)) == text


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"notify_targets": "{"}, "must be a JSON object"),
        ({"notify_targets": {"a b": "mailto:x@y.z"}}, "'a b' is no name"),
        ({"notify_targets": {"ops": "mailto:"}}, "'ops': '' is no address"),
        ({"notify_targets": {"ops": {"webhook": "https://x", "sekret": "hush-hush"}}}, "did you mean 'secret'?"),
        ({"notify_default": '{"on": ["failre"]}'}, "failure"),
        ({"notify_hosts": "https://x.org/y"}, "neither a host"),
        ({"webhook_secret": "short"}, "at least 16"),
        ({"smtp_url": "http://user:hunter2@host"}, "must begin with smtp://"),
        ({"smtp_url": "smtp://user:hunter2@host/?tls=1"}, "unknown option 'tls'"),
    ],
)
def test_settings_are_refused_without_repeating_secrets(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        SchedulerConfig.from_environment({}, allowed_dirs="/srv", data_dir="/var/lib/s", **settings)
    [problem] = caught.value.problems
    assert says in problem.message
    assert problem.field == f"SCHEDULER_{next(iter(settings)).upper()}"
    assert "hunter2" not in problem.message
    assert "hush-hush" not in problem.message
