"""Place the service's own files: where they lie by default, and never where tasks could reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scheduler.errors import InvalidRequest, Problem


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder for the service's state, by the XDG base directory specification."""
    home = environ.get("HOME") or str(Path.home())
    state = environ.get("XDG_STATE_HOME") or f"{home}/.local/state"
    return Path(state) / "task-scheduler"


def check_data_dir(data_dir: Path, allowed_dirs: Sequence[Path]) -> None:
    """Refuse a data directory that a task could reach, saying what to change."""
    for allowed in allowed_dirs:
        if data_dir.is_relative_to(allowed) or allowed.is_relative_to(data_dir):
            text = (
                f"the data directory {data_dir} and the allowed directory {allowed} lie "
                "inside one another, so a task could read the database and the token: set "
                "SCHEDULER_DATA_DIR to a directory outside, or SCHEDULER_ALLOWED_DIRS to a narrower one"
            )
            suggestion = str(Path.home() / ".local/state/task-scheduler")
            raise InvalidRequest([Problem("SCHEDULER_DATA_DIR", text, str(data_dir), suggestion=suggestion)])


def check_users_file(path: Path, places: Sequence[Path], readable: Sequence[Path], data_dir: Path) -> None:
    """Refuse a users file of which the name or the file itself, its `places`, lies where tasks may read."""
    for folder in readable:
        if any(place.is_relative_to(folder) for place in places):
            text = (
                f"the users file {path} lies in {folder}, which tasks may read: "
                "put it elsewhere, or set narrower directories"
            )
            suggestion = str(data_dir / "users")
            raise InvalidRequest([Problem("SCHEDULER_USERS_FILE", text, str(path), suggestion=suggestion)])
