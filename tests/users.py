"""Users for tests, with hashes that cost next to nothing."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher

PASSWORD = "correct horse"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@lru_cache
def cheap_hash(password: str) -> str:
    """Return a hash of the password."""
    return _CHEAP.hash(password, salt=b"the same always")  # so that names of tests are, too


def line(name: str = "ann", scopes: str = "admin", password: str = PASSWORD) -> str:
    """Return a line of a users file."""
    return f"{name}:{scopes}:{cheap_hash(password)}"


def write_users(path: Path, *lines: str, mode: int = 0o600) -> Path:
    """Write a users file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    path.chmod(mode)
    return path
