"""Find the token that callers must send, and make one where the server is reachable from elsewhere."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from scheduler.config import SchedulerConfig

log = logging.getLogger(__name__)


def read_token(config: SchedulerConfig, exposed: bool) -> str | None:
    """Return the token: the setting's, else off loopback the one kept in the data directory, made when missing.

    None means that whoever reaches the loopback interface may call.
    """
    if config.token is not None and (token := config.token.get_secret_value().strip()):
        return token
    if config.on_loopback and not exposed:
        return None
    return _kept_token(config.state_dir / "token")


def _kept_token(path: Path) -> str:
    made = secrets.token_urlsafe(32)
    draft = path.with_name(f"token.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(made + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where the name exists: of several processes that start together one makes the token.
        os.link(draft, path)
    except FileExistsError:
        if kept := path.read_text().strip():
            return kept
        # An empty file would mean that nobody has to send a token.
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    log.warning("A token was made, shown this once and kept in %s: %s", path, made)
    return made
