"""Read the paths of settings, and place the service's own files: never where tasks could reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scheduler.errors import InvalidRequest, Problem


def absolute(path: Path) -> Path:
    """Return the path from the root on, `~` read as a home; ValueError where it names a home that nobody has."""
    try:
        return path.expanduser().absolute()
    except RuntimeError:  # expanduser knows no better one
        raise ValueError(f"'{path}' begins in a home directory that is not known here: write it out") from None
    except FileNotFoundError:
        raise ValueError(f"'{path}' is relative to a directory that is gone: write it out") from None


def resolved(path: Path) -> Path:
    """Do the same with all links followed; ValueError where they lead in a circle, too."""
    whole = absolute(path)
    try:
        return whole.resolve()
    except RuntimeError:
        raise ValueError(f"'{path}' leads by links in a circle: name the place itself") from None


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder for the service's state, by the XDG base directory specification.

    Raise `InvalidRequest` where no home is known.
    """
    if state := environ.get("XDG_STATE_HOME"):
        return Path(state) / "task-scheduler"
    try:
        home = environ.get("HOME") or Path.home()
    except RuntimeError as error:
        text = "this user has no home directory to keep the data in: set SCHEDULER_DATA_DIR, or HOME"
        raise InvalidRequest([Problem("SCHEDULER_DATA_DIR", text)]) from error
    return Path(home) / ".local/state/task-scheduler"


def check_data_dir(data_dir: Path, allowed_dirs: Sequence[Path]) -> None:
    """Refuse a data directory that a task could reach, saying what to change."""
    for allowed in allowed_dirs:
        if data_dir.is_relative_to(allowed) or allowed.is_relative_to(data_dir):
            text = (
                f"the data directory {data_dir} and the allowed directory {allowed} lie "
                "inside one another, so a task could read the database and the token: set "
                "SCHEDULER_DATA_DIR to a directory outside, or SCHEDULER_ALLOWED_DIRS to a narrower one"
            )
            raise InvalidRequest([Problem("SCHEDULER_DATA_DIR", text, str(data_dir), suggestion=_usual_place())])


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


def _usual_place() -> str | None:
    try:
        return str(default_data_dir({}))
    except InvalidRequest:  # a user without a home
        return None
