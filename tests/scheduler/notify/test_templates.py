"""The words of a message: what it tells, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.alerts import PLACEHOLDERS, Notify
from scheduler.notify.rules import Kind
from scheduler.notify.templates import MOST_OUTPUT, News, clean, end_of, headline, mask, render, secret_values
from scheduler.run import RunStatus
from tests.owned_time import NOON
from tests.scheduler.notify.test_rules import run

PLAIN = Notify.model_validate({})
FAILED = replace(run(RunStatus.FAILED), details={"exit_code": 3, "reason": "exit code 3"})


def news(kind: Kind = Kind.FAILURE, **fields: Any) -> News:
    return replace(News(kind, "nightly", None, UTC, FAILED), **fields)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (news(), "'nightly' failed"),
        (news(name="Nightly report"), "'Nightly report' failed"),
        (news(run=replace(FAILED, status=RunStatus.INTERRUPTED)), "'nightly' was interrupted"),
        (news(run=replace(FAILED, status=RunStatus.TIMEOUT)), "'nightly' timed out"),
        (news(Kind.TIMEOUT), "'nightly' timed out"),
        (news(Kind.SUCCESS), "'nightly' succeeded"),
        (news(Kind.RECOVERY, failures=1), "'nightly' works again after 1 failure"),
        (news(Kind.RECOVERY, failures=2), "'nightly' works again after 2 failures"),
        (news(Kind.RECOVERY, says="succeeds again as expected"), "'nightly' succeeds again as expected"),
        (news(Kind.MISSED), "'nightly' missed its time"),
        (news(Kind.MISSED, run=replace(FAILED, count=1000)), "'nightly' missed 1000 fire times"),
        (news(Kind.LATE, run=run(late=73)), "'nightly' started 73 s late"),
        (news(Kind.ABSENCE, run=None, says="has not succeeded in 1 day"), "'nightly' has not succeeded in 1 day"),
        (news(count=3), "'nightly' failed (and 2 more)"),
    ],
)
def test_headlines(told: News, text: str) -> None:
    assert headline(told) == text


def test_the_text_ends_with_the_output() -> None:
    subject, text, facts = render(PLAIN, news(output="line 1\nline 2\n", count=2, folded={"failure": 1}), [])
    assert subject == "[task-scheduler] 'nightly' failed (and 1 more)"
    assert text.startswith("'nightly' failed (and 1 more).\n\nTask: nightly\nRun: r, attempt 1, schedule\n")
    assert "Status: failed, exit code 3\nReason: exit code 3\n" in text
    assert "Since the last message: failure 1\n" in text
    assert text.endswith("\nEnd of the output:\nline 1\nline 2\n")
    assert (facts["output"], facts["count"], facts["folded"]) == ("line 1\nline 2\n", 2, {"failure": 1})


def test_programs_are_told_the_same_keys_whatever_happened() -> None:
    shapes = [set(render(PLAIN, news(kind, run=which), [])[2]) for kind in Kind for which in (FAILED, None)]
    assert all(shape == shapes[0] for shape in shapes)


def test_templates_may_name_every_placeholder_and_nothing_else() -> None:
    every = Notify.model_validate({"subject": "".join(f"{{{name}}}" for name in PLACEHOLDERS), "body": "{output}!"})
    subject, text, _ = render(every, news(output="out"), [])
    assert "nightly" in subject
    assert text == "End of the output:\nout!\n"
    for bad in ("{tsk_id}", "{task_id.__class__}", "{task_id!r}", "{task_id:>999999999}", "{", "{0}", "{}"):
        with pytest.raises(ValueError, match=r"placeholder|template"):
            Notify.model_validate({"subject": bad})


def test_a_subject_is_one_line() -> None:
    told = news(run=replace(FAILED, details={"reason": "two\r\nlines: Bcc: x"}))
    assert render(Notify.model_validate({"subject": "{reason}"}), told, [])[0] == "two lines: Bcc: x"


def test_secrets_are_masked_wherever_they_stand() -> None:
    env = {"API_TOKEN": "s3cr3t-long", "DB_PASSWORD": "s3cr3t", "GREETING": "hello", "PIN_KEY": "12"}
    told = news(
        output="hello 12 s3cr3t-long s3cr3t postgresql://me:hunter2@db/x\n",
        run=replace(FAILED, details={"reason": "no s3cr3t", "hint": "try s3cr3t-long"}),
        name="s3cr3t",
    )
    subject, text, facts = render(PLAIN, told, secret_values(env))
    whole = subject + text + str({**facts, "name": None})
    assert "s3cr3t" not in whole
    assert "hunter2" not in whole
    assert "hello 12 *** *** postgresql://me:***@db/x" in text


def test_each_line_of_a_secret_is_one() -> None:
    key = "-----BEGIN-----\nMIIEvQIBADAN\n-----END-----"
    assert mask("it says MIIEvQIBADAN here", secret_values({"SSH_KEY": key})) == "it says *** here"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_is_left(secret: str, before: str, after: str) -> None:
    masked = mask(before + secret + after, [secret])
    assert secret not in masked.replace("***", "") or secret in before + after


def test_the_end_of_a_long_output_begins_with_a_line() -> None:
    text = "".join(f"line {number}\n" for number in range(5000))
    end = end_of(text)
    assert len(end) <= MOST_OUTPUT + 2
    assert end.startswith("…\nline ")
    assert text.endswith(end[2:])
    assert len(end_of("x" * 9000)) == MOST_OUTPUT + 2


@given(st.text(st.characters(codec=None)))
def test_what_is_sent_can_be_encoded(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert "\x00" not in cleaned
    assert "\x1b" not in cleaned


def test_times_are_those_of_the_task() -> None:
    told = news(zone=ZoneInfo("Europe/Berlin"), since=NOON - timedelta(hours=1))
    _, text, facts = render(PLAIN, told, [])
    assert "Failing since: 2026-06-01 13:00:00\n" in text
    assert facts["failing_since"] == "2026-06-01T13:00:00+02:00"
