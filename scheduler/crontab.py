"""Read crontabs: what of each line becomes a task, and what cannot be carried over, and why. Pure."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.cron import MACROS, CronError, read_cron
from scheduler.errors import InvalidRequest
from scheduler.phrases import read_zone
from scheduler.spellings import read_schedule
from scheduler.triggers import upcoming
from scheduler.vixie import CronRefuses, fire_times, read_rule
from tasks.sandbox import check_env

PROVEN = 1000
"""Fire times of each line that are compared."""

_NO_LIMIT_SECONDS = 31 * 86400
"""Cron lets a command run as long as it likes; this is the longest that a task may."""

_ASSIGNMENT = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z_]\w*))\s*=\s*(.*?)\s*""")
_COMMAND = re.compile(r"((?:[^\\%]|\\.?)*)(?:%(.*))?", re.DOTALL)
_RANDOM = re.compile(r"(\d*)~(\d*)(?:/\d+)?")
_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MAIL = ("MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING")
_ONLY_CRON = {
    "LOGNAME": "the user is the server's to choose",
    "USER": "the user is the server's to choose",
    "RANDOM_DELAY": "a delay of the whole table: give the tasks jitter_seconds",
    "START_HOURS_RANGE": "it is anacron's",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """What of a line is not carried over, and why. `lost`: no task comes of the line at all."""

    line: int
    text: str
    reason: str
    lost: bool


@dataclass(frozen=True, slots=True)
class CronLine:
    """One line that becomes a task: five fields, a command, and what holds for it."""

    line: int
    schedule: str
    command: str
    stdin: str | None
    user: str | None
    shell: str | None
    zone: str | None
    env: Mapping[str, str]


@dataclass(slots=True)
class Crontab:
    """What one file holds."""

    lines: list[CronLine] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


class _Reader:
    """Read a file line by line; an assignment holds for the lines below it."""

    def __init__(self, system: bool) -> None:
        self._system = system
        self._env: dict[str, str] = {}
        self._shell: str | None = None
        self._zone: str | None = None
        self.found = Crontab()

    def read(self, number: int, text: str) -> None:
        """Read one line."""
        line = text.strip(" \t")
        if not line or line.startswith("#"):
            return
        if assignment := _ASSIGNMENT.fullmatch(line):
            name = next(part for part in assignment.groups()[:3] if part is not None)
            self._assign(number, line, name, _unquoted(assignment[4]))
            return
        try:
            self._entry(number, line)
        except (_Lost, CronRefuses, CronError) as error:
            self._remark(number, line, str(error), lost=True)

    def _remark(self, number: int, line: str, reason: str, lost: bool = False) -> None:
        self.found.remarks.append(Remark(number, line, reason, lost))

    def _assign(self, number: int, line: str, name: str, value: str) -> None:
        if name in _MAIL:
            if value:
                self._remark(number, line, "no mail is sent: what a run writes is kept with the run")
        elif name in _ONLY_CRON:
            self._remark(number, line, _ONLY_CRON[name])
        elif name == "SHELL":
            self._shell = None if value in ("/bin/sh", "") else value
        elif name == "CRON_TZ":
            self._set_zone(number, line, value)
        elif faults := check_env({name: value}):
            self._remark(number, line, faults[0].message)
        else:
            self._env[name] = value

    def _set_zone(self, number: int, line: str, value: str) -> None:
        try:
            self._zone = read_zone(value).key if value else None
        except InvalidRequest as error:
            self._remark(number, line, error.message)

    def _entry(self, number: int, line: str) -> None:
        schedule, rest = _split_schedule(line)
        user = None
        if self._system:
            user, rest = [*rest.split(None, 1), "", ""][:2]
        command, stdin = _split_command(rest)
        if not command.strip():
            raise _Lost("there is no command" + (" behind the user" if user else ""))
        schedule = self._settled(number, line, schedule, rest)
        read_rule(schedule)
        read_cron(schedule)
        if user is not None:
            self._remark(number, line, f"runs as the user that tasks have, not as '{user}'")
        self.found.lines.append(
            CronLine(number, schedule, command, stdin, user, self._shell, self._zone, dict(self._env))
        )

    def _settled(self, number: int, line: str, schedule: str, command: str) -> str:
        """Return the fields with a fixed number in place of a random one, the same for the same command."""
        fields = schedule.split()
        for place, text in enumerate(fields):
            if "~" not in text:
                continue
            if not (match := _RANDOM.fullmatch(text)) or "/" in text:
                raise _Lost(f"'{text}' draws at random in a way that is not known here")
            low, high = (
                int(part) if part else limit for part, limit in zip(match.groups(), _LIMITS[place], strict=True)
            )
            if low > high:
                raise _Lost(f"'{text}' runs backwards")
            fields[place] = str(low + int(_digest(command), 16) % (high - low + 1))
            self._remark(number, line, f"'{text}' is drawn anew by cron; here it is {fields[place]} for good")
        return " ".join(fields)


class _Lost(Exception):
    """Nothing can come of a line; the text says why."""


def read_crontab(text: str, system: bool) -> Crontab:
    """Read a crontab; one of the system names a user in front of each command."""
    reader = _Reader(system)
    for number, line in enumerate(text.split("\n"), 1):
        reader.read(number, line.removesuffix("\r"))
    return reader.found


def _split_schedule(line: str) -> tuple[str, str]:
    if line.startswith("@"):
        macro, _, rest = line.replace("\t", " ", 1).partition(" ")
        if macro.lower() == "@reboot":
            raise _Lost("'@reboot' is no time: let the service manager start it, or run the task once by hand")
        if macro.lower() not in MACROS:
            raise _Lost(f"'{macro}' is not known here; the macros are {', '.join(MACROS)}")
        return MACROS[macro.lower()], rest.strip(" \t")
    words = re.fullmatch(r"(-?)((?:[^ \t]+[ \t]+){4}[^ \t]+)[ \t]*(.*)", line)
    if words is None:
        raise _Lost("five fields and a command are needed")
    return " ".join(words[2].split()), words[3]


def _split_command(text: str) -> tuple[str, str | None]:
    """Return the command and what it reads: a bare % ends the command, each further one ends a line.

    As in cron, a backslash that another escapes escapes no % in the command, yet does in what it reads.
    """
    match = _COMMAND.fullmatch(text)
    assert match is not None
    command, given = match.groups()
    lines = None if given is None else re.sub(r"(?<!\\)%", "\n", given).replace("\\%", "%")
    return command.replace("\\%", "%"), lines


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def entries_of(lines: Sequence[CronLine]) -> list[dict[str, Any]]:
    """Return what `import` takes for each line; ids come from the commands, so that they are the same next time."""
    taken: dict[str, int] = {}
    return [_entry_of(line, _numbered(_id_of(line), taken)) for line in lines]


def _entry_of(line: CronLine, task_id: str) -> dict[str, Any]:
    command, args = _as_command(line)
    entry = {
        "task_id": task_id,
        "type": "command",
        "interval": line.schedule,
        "command": command,
        "args": args,
        "tags": ["crontab"],
        "timezone": line.zone,
        "timeout_seconds": _NO_LIMIT_SECONDS,
        "env": dict(line.env),
    }
    return {name: value for name, value in entry.items() if value}


def _as_command(line: CronLine) -> tuple[str, list[str]]:
    """Return a command of /bin/sh and its arguments, where another shell or an input is asked for as well."""
    shell = shlex.quote(line.shell or "/bin/sh")
    if line.stdin is not None:
        end = "" if line.stdin == "" or line.stdin.endswith("\n") else "\\n"  # as cron does
        return f'printf \'%s{end}\' "$1" | {shell} -c "$2"', [line.stdin, line.command]
    if line.shell is not None:
        return f'exec {shell} -c "$1"', [line.command]
    return line.command, []


def _id_of(line: CronLine) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", line.command.lower()))[:40].strip("-")
    return f"{words or 'cron'}-{_digest(f'{line.user} {line.command} {line.stdin}')}"


def _numbered(task_id: str, taken: dict[str, int]) -> str:
    taken[task_id] = taken.get(task_id, 0) + 1
    return task_id if taken[task_id] == 1 else f"{task_id}-{taken[task_id]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Proof:
    """How many fire times were compared, and the first that differ: cron's and ours."""

    line: int
    compared: int
    different: tuple[str, str] | None


def prove(line: CronLine, zone: ZoneInfo, now: datetime, count: int = PROVEN) -> Proof:
    """Compare the next fire times of a line under cron's rules, worked out apart from ours, with ours."""
    zone = read_zone(line.zone) if line.zone else zone
    theirs = _isoformat(islice(fire_times(read_rule(line.schedule), zone, now), count))
    trigger = read_schedule({"interval": line.schedule}, zone=zone, now=now).trigger
    ours = _isoformat(upcoming(trigger, now, len(theirs)))
    pairs = zip(theirs, [*ours, *["never"] * (len(theirs) - len(ours))], strict=True)
    different = next(((cron, here) for cron, here in pairs if cron != here), None)
    return Proof(line.line, len(theirs), different)


def _isoformat(moments: Iterator[datetime] | list[datetime]) -> list[str]:
    return [moment.astimezone(ZoneInfo("UTC")).isoformat() for moment in moments]
