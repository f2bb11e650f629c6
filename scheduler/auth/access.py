"""Turn what a caller shows, a name and a password or a token, into a Caller; or say why not."""

from __future__ import annotations

import hmac
import logging
import threading
import time
import unicodedata
from collections.abc import Callable

from scheduler.auth.attempts import Attempts, Tally
from scheduler.auth.logins import PasswordCheck
from scheduler.auth.scopes import LONGEST_NAME, OPERATOR, Caller
from scheduler.auth.sessions import Kind, SessionBook
from scheduler.auth.tokens import TokenBook
from scheduler.auth.users import Users, read_users
from scheduler.auth.users_file import UsersFile
from scheduler.config import PREFIX, SchedulerConfig
from scheduler.errors import InvalidRequest, LimitReached, NotAllowed, Problem, Unavailable
from tasks.sandbox.system_paths import system_rules

log = logging.getLogger(__name__)

SHORT_TOKEN = 20
"""A token with fewer characters may be a word that somebody guesses."""


class BadCredentials(NotAllowed):
    """What was shown opens nothing."""

    code = "unauthorized"


class Access:
    """Everything that is known about who may call this process. Thread-safe."""

    def __init__(
        self,
        config: SchedulerConfig,
        users: Users,
        token: str | None,
        tokens: TokenBook,
        clock: Callable[[], float] = time.monotonic,
        passwords: PasswordCheck | None = None,
        sessions: SessionBook | None = None,
    ) -> None:
        # Clients send other letters than ASCII in either of these encodings.
        self._one_token = [token.encode(), token.encode("latin-1", "replace")] if token else []
        self._short = 0 < len(token or "") < SHORT_TOKEN
        self._tokens = tokens
        self._file = UsersFile(config.users_path, needed=config.users_file is not None)
        self._set_users = users
        self._passwords = passwords or PasswordCheck(clock=clock)
        self._attempts = Attempts(clock)
        self._sessions = sessions
        self.tally = Tally()
        self._merging = threading.Lock()
        self._merged: tuple[Users, Users] = (Users(), self._set_users)

    # --- what is asked for ---------------------------------------------------------------------

    @property
    def is_required(self) -> bool:
        """Whether a caller must show something: as soon as there is anything that could be shown."""
        return bool(self._one_token) or self.takes_passwords or self._has_named_tokens()

    @property
    def takes_passwords(self) -> bool:
        """Whether names and passwords are taken."""
        return bool(self._set_users.by_name) or self._file.is_there

    @property
    def takes_tokens(self) -> bool:
        """Whether tokens are taken."""
        return bool(self._one_token) or self._has_named_tokens()

    def _has_named_tokens(self) -> bool:
        return self._tokens.exist()

    def warnings(self) -> list[str]:
        """Say what an operator should know."""
        found = list(self.users().faults)
        if self._short:
            found.append(
                f"SCHEDULER_TOKEN has fewer than {SHORT_TOKEN} characters and may be guessed: take a random one, "
                "such as `openssl rand -hex 32` prints"
            )
        try:
            if not self.is_required:
                found.append(
                    "no token is set (SCHEDULER_TOKEN): every program on this machine, runs included, may call"
                )
        except Unavailable as error:
            found.append(f"whether named tokens exist is not known: {error.message}")
        return found

    def users(self) -> Users:
        """Return all users: those of the setting, and those of the file by what it says now."""
        current = self._file.current()
        with self._merging:
            if self._merged[0] is not current:
                self._merged = current, _merge(self._set_users, current)
            return self._merged[1]

    # --- who asks ------------------------------------------------------------------------------

    def login(self, name: str, password: str, address: str) -> Caller:
        """Return the caller with that name and password; raise `BadCredentials`, or `LimitReached` for a wait."""
        name = unicodedata.normalize("NFC", name)[: LONGEST_NAME + 1]  # what is longer is nobody's, and not kept
        self._wait_over(address, name)
        users = self.users()
        user = users.by_name.get(name)
        if not users.by_name:
            raise BadCredentials(
                "No user can log in here: none exists, or the users file cannot be read (see the log)."
            )
        try:
            right = self._passwords.passes(users, user, password)
        except LimitReached:
            self.tally.count("busy")
            raise
        if not right or user is None:
            self._note_failure("password", address, name, f"the user {name!r}")
            raise BadCredentials("The name or the password is wrong.")
        self._attempts.succeeded(address, name)
        return user.caller

    def show_token(self, sent: bytes, address: str) -> Caller:
        """Return the caller who has that token; raise `BadCredentials`, or `LimitReached` for a wait.

        A right token is let in whatever was guessed before from the same address, since a random one cannot be
        guessed, and a program with an old token must not lock its neighbours out. A short one has no such right.
        """
        if self._short:
            self._wait_over(address)
        matches = [hmac.compare_digest(sent, known) for known in self._one_token]
        if any(matches):
            return OPERATOR
        row = self._tokens.find(sent.decode("utf-8", "surrogateescape"))
        fault = None if row is None else self._tokens.fault(row)
        if row is not None and fault is None:
            return self._tokens.caller(row)
        self._wait_over(address)
        self._note_failure(
            "token", address, None, f"the token {row.name!r}, which {fault}," if row else "a wrong token"
        )
        raise BadCredentials(f"The token {row.name!r} {fault}." if row else "The token is wrong.")

    # --- browsers ------------------------------------------------------------------------------

    def begin_session(self, caller: Caller) -> str:
        """Return the secret of a session of somebody who was let in just now."""
        found = None if caller.kind == "anybody" else self._known(caller.kind, caller.name)
        if self._sessions is None or found is None:
            raise BadCredentials("What was shown opens nothing any more.")
        return self._sessions.begin(*found)

    def resume_session(self, secret: str) -> Caller:
        """Return who has the session of that secret; raise `BadCredentials` where it is over."""
        caller = None if self._sessions is None else self._sessions.resume(secret, self._known)
        if caller is None:
            raise BadCredentials("The session is over, or there was none: sign in.")
        return caller

    def end_session(self, secret: str) -> None:
        """Let a session be over."""
        if self._sessions is not None:
            self._sessions.end(secret)

    def _known(self, kind: Kind, name: str | None) -> tuple[Caller, bytes] | None:
        """Return a caller as of now, and what they have to show; None where there is no such one."""
        if kind == "operator":
            return (OPERATOR, self._one_token[0]) if self._one_token else None
        if kind == "user":
            user = self.users().by_name.get(name or "")
            return None if user is None else (user.caller, user.password_hash.encode())
        row = self._tokens.good(name or "")
        return None if row is None else (self._tokens.caller(row), row.digest.encode())

    def _wait_over(self, address: str, name: str | None = None) -> None:
        try:
            self._attempts.check(address, name)
        except LimitReached:
            self.tally.count("delayed")
            raise

    def _note_failure(self, kind: str, address: str, name: str | None, what: str) -> None:
        self.tally.count(kind)
        self._attempts.failed(address, name)
        log.warning("refused %s from %s", what, address)


def users_of_settings(config: SchedulerConfig) -> Users:
    """Return the users of the setting; raise `InvalidRequest` where they, or the place of the file, are wrong."""
    _check_hidden(config)
    users = read_users(config.users, f"{PREFIX}USERS")
    if users.faults:
        raise InvalidRequest([Problem(f"{PREFIX}USERS", fault) for fault in users.faults])
    return users


def _merge(fixed: Users, current: Users) -> Users:
    both = fixed.by_name.keys() & current.by_name.keys()
    told = [
        f"the user {name!r} of the users file is not used: SCHEDULER_USERS has one of that name"
        for name in sorted(both)
    ]
    for line in told:
        log.warning("%s", line)
    return Users({**current.by_name, **fixed.by_name}, (*current.faults, *told), current.decoy or fixed.decoy)


def _check_hidden(config: SchedulerConfig) -> None:
    """Refuse a users file where every run may read: among the system's programs, or beside the interpreter."""
    path, better = str(config.users_path), str(config.state_dir / "users")
    for readable, _ in system_rules():
        if any(place.is_relative_to(readable) for place in config.users_places):
            text = (
                f"the users file {path} lies in {readable}, which every run may read: move it, for example to {better}"
            )
            raise InvalidRequest([Problem(f"{PREFIX}USERS_FILE", text, path, suggestion=better)])
