"""Know the users: lines `name:scope[,scope]:argon2id-hash`, from a file that is read anew when it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scheduler.auth.passwords import decoy_of, fault_of
from scheduler.auth.scopes import Caller, Scope, read_name, read_scopes, scopes_text
from scheduler.errors import InvalidRequest, Problem

LINE = "NAME:SCOPE[,SCOPE]:ARGON2ID-HASH"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has a password."""

    name: str
    scopes: frozenset[Scope]
    password_hash: str = field(repr=False)

    @property
    def line(self) -> str:
        """The user as a line of the file."""
        return f"{self.name}:{scopes_text(self.scopes)}:{self.password_hash}"

    @property
    def caller(self) -> Caller:
        """The user, logged in."""
        return Caller(self.name, "user", self.scopes)


@dataclass(frozen=True, slots=True)
class Users:
    """All users, and what kept others from being among them."""

    by_name: Mapping[str, User] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    decoy: str = field(default="", repr=False)
    """Checked in place of the hash of a name that nobody has, so that it takes as long."""


def read_users(lines: Iterable[str], place: str) -> Users:
    """Read lines; each that is wrong is told with its number and gives nobody a way in."""
    found: list[User] = []
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if not (text := line.strip()) or text.startswith("#"):
            continue
        try:
            found.append(_read_user(text))
        except InvalidRequest as error:
            faults.append(f"{place}, line {number}: {error.message} The line is not used")
    count = Counter(user.name for user in found)
    # Which of two lines is meant nobody can say; the wrong one may have a password or scopes that were taken away.
    faults += [
        f"{place}: {name!r} stands on {times} lines; none of them is used" for name, times in count.items() if times > 1
    ]
    by_name = {user.name: user for user in found if count[user.name] == 1}
    decoy = decoy_of(next(iter(by_name.values())).password_hash) if by_name else ""
    return Users(by_name, tuple(faults), decoy)


def _read_user(text: str) -> User:
    parts = text.split(":", 2)
    if len(parts) != 3:
        raise _wrong(f"it must be {LINE}")
    name, words, kept = parts
    if fault := fault_of(kept):
        raise _wrong(fault)
    return User(read_name(name), read_scopes([words]), kept)


def _wrong(message: str) -> InvalidRequest:
    return InvalidRequest([Problem("users", message, None, [LINE])])
