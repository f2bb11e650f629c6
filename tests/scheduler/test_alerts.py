"""What people write about notifications, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from scheduler.alerts import Expect, Notify, Target, is_name, read_target


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("mailto:ops@example.com", Target("mailto", "ops@example.com")),
        ("MAILTO:ops@example.com", Target("mailto", "ops@example.com")),
        ({"webhook": "https://example.com/hook?x=1"}, Target("webhook", "https://example.com/hook?x=1")),
        ({"ping": "http://hc.local:8000/ping/1"}, Target("ping", "http://hc.local:8000/ping/1")),
        ("slack://TokenA/TokenB/TokenC", Target("apprise", "slack://TokenA/TokenB/TokenC")),
        ("mailto://user:pass@example.com", Target("apprise", "mailto://user:pass@example.com")),
    ],
)
def test_targets(written: Any, target: Target) -> None:
    assert read_target(written) == target


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("mailto:ops", "no address of one mailbox"),
        ("mailto:a@x.org,b@x.org", "no address of one mailbox"),
        ("mailto:a@x.org\nBcc: b@x.org", "no address of one mailbox"),
        ("https://example.com/hook", 'write {"webhook": "https://example.com/hook"}'),
        ("ops@example.com", "is no target"),
        ("", "is no target"),
        ({}, "either 'webhook' or 'ping'"),
        ({"webhook": "https://x.org", "ping": "https://x.org"}, "either 'webhook' or 'ping'"),
        ({"webhok": "https://x.org"}, "did you mean 'webhook'?"),
        ({"webhook": "https://x.org", "secret": "mine"}, "unknown field 'secret'"),
        ({"webhook": "ftp://x.org"}, "no http or https URL"),
        ({"webhook": "https://"}, "no http or https URL"),
        ({"webhook": "https://x.org:99999/"}, "no http or https URL"),
        ({"webhook": "https://x.org/\r\nX: y"}, "no http or https URL"),
        ({"ping": 5}, "'ping' must be a text"),
        (5, "must be a text or an object"),
        ("slack://" + "x" * 2000, "more than 2000"),
    ],
)
def test_what_is_no_target(written: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_target(written)
    assert says in str(caught.value)


def test_names() -> None:
    assert is_name("ops")
    assert is_name("team-1.on_call")
    for other in ("mailto:x@y.z", "a b", "", "x" * 65, 5, {"ping": "x"}):
        assert not is_name(other)


def test_a_target_keeps_its_address_out_of_logs() -> None:
    assert "TokenA" not in repr(read_target("slack://TokenA/TokenB/TokenC"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1 day", 86400), ("day", 86400), ("every 1 day", 86400), ("90 minutes", 5400), ("2 Weeks", 1209600), ("60 s", 0)],
)
def test_spans(text: str, seconds: int) -> None:
    if seconds:
        assert Expect(every=text).seconds == seconds
    else:
        with pytest.raises(ValidationError, match="no span"):
            Expect(every=text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1 dya", "'1 day'"),
        ("2 minuts", "'2 minute'"),
        ("30 seconds", "1 minute"),
        ("400 days", "366 days"),
        ("", "span"),
    ],
)
def test_what_is_no_span(text: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        Expect(every=text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{nope}", "'{nope}' is no placeholder. Known: {task_id}, {name}"),
        ("{task}", "'{task}' is no placeholder; did you mean '{task_id}'? Known: {task_id}, {name}"),
        ("{name!r}", "a name in braces and nothing else"),
        ("{name:9}", "a name in braces and nothing else"),
        ("{", "is no template"),
    ],
)
def test_what_is_no_template(text: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Notify(subject=text)
    assert says in str(caught.value)


def test_what_a_task_leaves_out_is_as_by_default() -> None:
    default = Notify.model_validate({"on": ["success"], "to": ["ops"], "every_minutes": 1})
    mine = Notify.model_validate({"on": ["failure"], "every_minutes": 0}).over(default)
    assert (mine.on, mine.to, mine.every_minutes) == (["failure"], ["ops"], 0)
    assert Notify.model_validate({"to": []}).over(default).to == []
    assert Notify.model_validate({}).occasions == {"failure", "recovery", "missed"}
