"""Read a Dockerfile and a .dockerignore."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

from check_dockerfile.failure import Failure


@dataclass
class Step:
    """One instruction: its word, its options, and the rest of the line."""

    line: int
    word: str
    flags: dict[str, str]
    rest: str

    def exec_form(self) -> list[str] | None:
        """Return the words of a JSON list, or None where the rest is not one."""
        if not self.rest.startswith("["):
            return None
        try:
            words = json.loads(self.rest)
        except ValueError as error:
            raise Failure(f"line {self.line}: {self.word} has a broken JSON list: {error}") from error
        return [str(word) for word in words]

    def command(self) -> list[str]:
        """Return what is started: the list, or a shell with the text."""
        return self.exec_form() or ["/bin/sh", "-c", self.rest]


FLAGS = {"COPY": {"chown", "chmod"}, "HEALTHCHECK": {"interval", "timeout", "start-period", "retries"}}
WORDS = {
    *("FROM", "ARG", "ENV", "LABEL", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE"),
    *("VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"),
}


def read_steps(text: str) -> list[Step]:
    """Return the instructions; Failure names what is not known."""
    steps = []
    for number, line in logical_lines(text):
        word, _, rest = line.partition(" ")
        word = word.upper()
        if word not in WORDS:
            raise Failure(f"line {number}: '{word}' is not known here; known: {', '.join(sorted(WORDS))}")
        flags, rest = split_flags(rest.strip())
        if unknown := set(flags) - FLAGS.get(word, set()):
            raise Failure(f"line {number}: {word} with --{', --'.join(sorted(unknown))} is not known here")
        if "<<" in rest and word in ("RUN", "COPY"):
            raise Failure(f"line {number}: text from '<<' on is not known here")
        steps.append(Step(number, word, flags, rest))
    if not steps or steps[0].word not in ("FROM", "ARG"):
        raise Failure("the first instruction must be FROM")
    if sum(step.word == "FROM" for step in steps) != 1:
        raise Failure("exactly one FROM is known here")
    return steps


def logical_lines(text: str) -> list[tuple[int, str]]:
    """Return lines with their number, continuations joined and comments left out."""
    found: list[tuple[int, str]] = []
    parts: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or not line.strip():
            continue
        start = start if parts else number
        goes_on = line.rstrip().endswith("\\")
        parts.append(line.rstrip().removesuffix("\\").strip())
        if not goes_on:
            found.append((start, " ".join(parts)))
            parts = []
    if parts:
        raise Failure(f"line {start}: goes on behind the end of the file")
    return found


def split_flags(rest: str) -> tuple[dict[str, str], str]:
    """Take leading `--name=value` words off."""
    flags = {}
    while match := re.match(r"--([a-z-]+)=(\S*)\s*", rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    return flags, rest


def expand(text: str, values: dict[str, str], line: int) -> str:
    """Put the values of ENV and ARG in; the forms of an engine that are rarely used are refused."""

    def value(match: re.Match[str]) -> str:
        name = match["plain"] or match["name"]
        if name in values and values[name] != "":
            return values[name]
        if match["default"] is not None:
            return match["default"]
        return values.get(name, "")

    if re.search(r"\$\{\w+:?[^}\w:-]|\$\{\w+:[^-]", text):
        raise Failure(f"line {line}: this form of a variable is not known here: {text}")
    return re.sub(r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})", value, text)


def pairs(step: Step) -> dict[str, str]:
    """Return the `name=value` words of ENV, LABEL or ARG."""
    found = {}
    for word in shlex.split(step.rest):
        name, separator, value = word.partition("=")
        if not separator and step.word != "ARG":
            raise Failure(f"line {step.line}: write {step.word} as name=value, not '{word}'")
        found[name] = value
    return found


class Ignored:
    """What .dockerignore leaves out of the build; the last pattern that fits decides."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        self._rules = [
            (not line.startswith("!"), _pattern(line.lstrip("!").strip("/")))
            for line in lines
            if line and not line.startswith("#")
        ]

    def __call__(self, path: str) -> bool:
        """Whether a path, relative to the context, is left out."""
        left_out = False
        for leaves_out, pattern in self._rules:
            if pattern.fullmatch(path):
                left_out = leaves_out
        return left_out


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", text)
    return re.compile("".join(parts.get(token, re.escape(token)) for token in tokens) + "(?:/.*)?")
