"""Hash passwords and check them: the only door to argon2.

argon2 makes each guess cost time and memory, since people choose passwords that can be guessed.
"""

from __future__ import annotations

import logging
import re
import secrets
import unicodedata

from argon2 import Parameters, PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

log = logging.getLogger(__name__)

FEWEST_LETTERS = 8
_MOST_KIB = 1024 * 1024
# Some 50 ms and 19 MiB, in one thread: what OWASP recommends, and no burden on a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_SHAPE = re.compile(r"\$argon2id\$v=19\$m=\d{1,9},t=\d{1,9},p=\d{1,9}\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}")


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    return _HASHER.hash(_same(password))


def is_right(kept: str, password: str) -> bool:
    """Whether a password is the one that `kept` was made of."""
    try:
        return _HASHER.verify(kept, _same(password))
    except VerifyMismatchError:
        return False
    except VerificationError as error:
        log.error("a password could not be checked: %s", error)
        return False


def fault_of(kept: str) -> str | None:
    """Say why a text is no hash that can be used, or None where it is one."""
    if not _SHAPE.fullmatch(kept):
        return "the last part is no argon2id hash ($argon2id$v=19$m=...,t=...,p=...$SALT$HASH)"
    try:
        parameters = extract_parameters(kept)
    except InvalidHashError:
        return "the last part is no argon2id hash that argon2 understands"
    if parameters.memory_cost > _MOST_KIB:
        return f"the hash asks for {parameters.memory_cost} KiB of memory; at most {_MOST_KIB} are given"
    return None


def decoy_of(kept: str) -> str:
    """Return the hash of a password that nobody knows, as costly to check as `kept`."""
    like: Parameters = extract_parameters(kept)
    return PasswordHasher(
        like.time_cost, like.memory_cost, like.parallelism, like.hash_len, like.salt_len, type=Type.ID
    ).hash(secrets.token_urlsafe(32))


def _same(password: str) -> bytes:
    """Return the bytes that are hashed: the same for both ways to write a letter with an accent (RFC 8265)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogateescape")
