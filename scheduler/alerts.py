"""Describe what people write about who is told what: `notify` and `expect` of a task, and the targets of both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, WithJsonSchema

from scheduler.errors import nearest

Occasion = Literal["failure", "recovery", "success", "missed", "late", "timeout"]
USUAL: tuple[Occasion, ...] = ("failure", "recovery", "missed")
"""What is told where nobody says more."""

PLACEHOLDERS = (
    *("task_id", "name", "kind", "headline", "status", "reason", "run_id", "scheduled_for", "started_at"),
    *("finished_at", "attempt", "exit_code", "count", "output", "details"),
)
"""What a template may name."""

TARGET_FORMS = (
    "the name of a target in SCHEDULER_NOTIFY_TARGETS",
    "mailto:someone@example.com",
    '{"webhook": "https://example.com/hook"}',
    '{"ping": "https://hc-ping.com/UUID"}',
    "an Apprise URL such as slack://...",
)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# No encoded word: what is in it would become part of the address, or a header of its own.
_ADDRESS = re.compile(r"(?!.*=\?)[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://.+", re.IGNORECASE | re.DOTALL)
LONGEST_TARGET = 2000

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
_SPAN = re.compile(rf"(?:every\s+)?(?:(\d{{1,6}})\s*)?({'|'.join(_UNITS)})s?", re.IGNORECASE)
_LONGEST_SPAN = 366 * 86400


def _read_span(text: str) -> str:
    match = _SPAN.fullmatch(text.strip())
    seconds = int(match[1] or 1) * _UNITS[match[2].lower()] if match else 0
    if not 60 <= seconds <= _LONGEST_SPAN:
        words = re.findall(r"[a-z]+", text.lower())
        guess = nearest(words[-1], _UNITS) if words else None
        number = (re.findall(r"\d+", text) or ["1"])[0]
        hint = f"; did you mean '{number} {guess}'?" if guess and not match else ""
        raise ValueError(f"'{text[:60]}' is no span of 1 minute to 366 days, such as '1 day' or '90 minutes'{hint}")
    return text


def _read_template(text: str) -> str:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"is no template: {error}. Write {{{{ and }}}} for braces") from error
    for _, name, width, conversion in parts:
        if name is None:
            continue
        if width or conversion:  # a width could ask for gigabytes
            raise ValueError(f"'{{{name}:...}}': a placeholder is a name in braces and nothing else")
        if name not in PLACEHOLDERS:
            guess = nearest(name, PLACEHOLDERS)
            hint = f"; did you mean '{{{guess}}}'?" if guess else "."
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise ValueError(f"'{{{name}}}' is no placeholder{hint} Known: {known}")
    return text


Template = Annotated[str, AfterValidator(_read_template)]
Written = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": LONGEST_TARGET},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ],
            "description": "One of: " + "; ".join(TARGET_FORMS),
        }
    ),
]


class Notify(BaseModel):
    """Who is told what about a task. What is left out is as in the server's default (SCHEDULER_NOTIFY_DEFAULT)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    on: list[Occasion] | None = Field(
        None, max_length=6, description="What is told: failure, recovery, success, missed, late, timeout."
    )
    to: list[Written] | None = Field(None, max_length=20, description="Who is told; an empty list: nobody.")
    every_minutes: float | None = Field(
        None,
        ge=0,
        le=7 * 1440,
        allow_inf_nan=False,
        description="At most one message to each target in so many minutes; what comes meanwhile is counted in it.",
    )
    late_after_seconds: float | None = Field(
        None, ge=0, le=86400, allow_inf_nan=False, description="Seconds after which a start is `late`. Default: 60."
    )
    subject: Template | None = Field(None, max_length=500, description="Template of the subject.")
    body: Template | None = Field(None, max_length=10_000, description="Template of the text.")

    def over(self, default: Notify | None) -> Notify:
        """Return the same, with what it leaves out taken from `default`."""
        if default is None:
            return self
        return default.model_copy(update=self.model_dump(exclude_none=True))

    @property
    def occasions(self) -> frozenset[str]:
        """What is told."""
        return frozenset(USUAL if self.on is None else self.on)


class Expect(BaseModel):
    """What a task owes: successful runs, and an end in time. What is not kept is told, whatever `notify.on` says."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    every: Annotated[str, AfterValidator(_read_span)] = Field(
        max_length=64, description="The span in which the runs are expected: '1 day', '90 minutes'."
    )
    min_runs: int = Field(1, ge=1, le=10_000, description="Successful runs in any such span.")
    max_duration_seconds: float | None = Field(
        None, gt=0, le=31 * 86400, allow_inf_nan=False, description="Seconds after which a run takes too long."
    )

    @property
    def seconds(self) -> int:
        """The span."""
        match = _SPAN.fullmatch(self.every.strip())
        assert match is not None
        return int(match[1] or 1) * _UNITS[match[2].lower()]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: `kind` is a key of NOTIFIERS, `address` a URL, or the address of a mailbox."""

    kind: str
    address: str = field(repr=False)
    secret: SecretStr | None = None

    @property
    def host(self) -> str:
        """The host of a URL."""
        return (urlsplit(self.address).hostname or "").lower()

    @property
    def scheme(self) -> str:
        """The scheme of a URL."""
        return self.address.partition(":")[0].lower()


def is_name(written: Any) -> bool:
    """Whether a target is given by its name in the settings."""
    return isinstance(written, str) and _NAME.fullmatch(written) is not None


def read_target(written: Any, with_secret: bool = False) -> Target:
    """Read a target that is no name; raise ValueError saying what is wrong. Only an operator's may have a secret."""
    if isinstance(written, str):
        return _read_text(written)
    if isinstance(written, Mapping):
        return _read_object(written, with_secret)
    raise ValueError(f"must be a text or an object, not {written!r:.60}")


def _read_text(text: str) -> Target:
    if len(text) > LONGEST_TARGET:
        raise ValueError(f"has {len(text)} characters, more than {LONGEST_TARGET}")
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "mailto" and not rest.startswith("//"):
        if not _ADDRESS.fullmatch(rest):
            raise ValueError(f"'{rest[:100]}' is no address of one mailbox, such as someone@example.com")
        return Target("mailto", rest)
    if scheme.lower() in ("http", "https"):
        raise ValueError(f'a URL alone does not say what to send there: write {{"webhook": "{text[:200]}"}} or "ping"')
    if not _SCHEME.fullmatch(text):
        raise ValueError("is no target")
    return Target("apprise", text)


def _read_object(given: Mapping[str, Any], with_secret: bool) -> Target:
    known = ("webhook", "ping", "secret") if with_secret else ("webhook", "ping")
    for name, value in given.items():
        if name not in known:
            guess = nearest(str(name), known)
            hint = f"; did you mean '{guess}'?" if guess else f": {', '.join(known)} are known"
            raise ValueError(f"has the unknown field '{name}'{hint}")
        if not isinstance(value, str):
            raise ValueError(f"'{name}' must be a text")
    kinds = [name for name in ("webhook", "ping") if name in given]
    if len(kinds) != 1:
        raise ValueError("an object must have either 'webhook' or 'ping'")
    kind, url = kinds[0], str(given[kinds[0]])
    _check_url(url)
    return Target(kind, url, SecretStr(given["secret"]) if given.get("secret") else None)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or len(url) > LONGEST_TARGET or not url.isprintable() or " " in url:
        raise ValueError(f"'{url[:100]}' is no http or https URL")
