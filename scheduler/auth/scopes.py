"""Say what a caller may do: four scopes, each of which includes the ones before it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from scheduler.errors import InvalidRequest, NotAllowed, Problem, nearest, not_one_of


class Scope(StrEnum):
    """What may be done; the order is that of the words here, and each includes all before it."""

    READ = "read"
    RUN = "run"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def implied(self) -> frozenset[Scope]:
        """This scope, and all that it includes."""
        ordered = list(Scope)
        return frozenset(ordered[: ordered.index(self) + 1])


MEANING = {
    Scope.READ: "see tasks, runs, their output and the status; ask what a schedule or a definition would do",
    Scope.RUN: "run tasks that exist at once, and cancel runs",
    Scope.WRITE: "create, change, pause, resume and remove tasks: who may, can run any code that the sandbox lets run",
    Scope.ADMIN: "start and stop the scheduler as a whole",
}

LONGEST_NAME = 64
_NAME = re.compile(rf"\w[\w.@+-]{{0,{LONGEST_NAME - 1}}}")
NAME_RULE = f"1 to {LONGEST_NAME} letters, digits or any of . @ + - _, the first a letter, a digit or _"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what was granted to them; `name` is None where nobody needs one, or for the one token."""

    name: str | None
    kind: Literal["anybody", "operator", "user", "token"]
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether what was granted includes a scope."""
        return any(scope in granted.implied for granted in self.scopes)

    def require(self, scope: Scope, what: str) -> None:
        """Raise `NotAllowed` where the scope is missing for `what`, the subject of a sentence."""
        if self.may(scope):
            return
        enough = " or ".join(word.value for word in Scope if scope in word.implied)
        raise NotAllowed(
            f"{what} needs the scope '{scope}'; the {self.kind} '{self.name}' has {scopes_text(self.scopes)}. Ask as a "
            f"user or with a token that has {enough}: 'task-scheduler token add NAME --scope {scope}' makes one.",
            code="forbidden",
            missing_scope=scope.value,
            scopes=[word.value for word in Scope if word in self.scopes],
        )


ANYBODY = Caller(None, "anybody", frozenset({Scope.ADMIN}))
"""Whoever asks where nothing is asked for."""
OPERATOR = Caller(None, "operator", frozenset({Scope.ADMIN}))
"""Whoever has the one token."""


def scopes_text(scopes: Iterable[Scope]) -> str:
    """Return scopes as people write them, weakest first."""
    given = set(scopes)
    return ",".join(scope.value for scope in Scope if scope in given)


def read_scopes(words: Iterable[str], field: str = "scope") -> frozenset[Scope]:
    """Return the scopes of words that may be lists with commas; raise `InvalidRequest` naming what is none."""
    known = [scope.value for scope in Scope]
    given = [word.strip() for text in words for word in text.split(",") if word.strip()]
    wrong = [not_one_of(field, word, known, nearest(word, known)) for word in given if word not in known]
    if not given:
        wrong = [Problem(field, f"'{field}' is required: {', '.join(known)}", None, known, code="missing_field")]
    if wrong:
        raise InvalidRequest(wrong)
    return frozenset(Scope(word) for word in given)


def read_name(text: str, field: str = "name") -> str:
    """Return the name of a user or token; raise `InvalidRequest` where it is none."""
    name = unicodedata.normalize("NFC", text)
    if _NAME.fullmatch(name):
        return name
    raise InvalidRequest([Problem(field, f"{name[:80]!r} is no name: {NAME_RULE}", name[:80], [NAME_RULE])])
