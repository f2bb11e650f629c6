"""Read the configuration file: which settings it gives, on which lines, and where its relative paths begin."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from scheduler.directories import absolute
from scheduler.errors import InvalidRequest, Problem, nearest, shorten
from scheduler.yaml_text import Document, YamlError, read_yaml
from scheduler.yaml_text import Path as Place

DEFAULT_FILE = Path("config/scheduler.yaml")
"""Where the file is looked for, below the directory that the server is started in."""
SECTION = "scheduler"
"""A mapping of this name may hold settings, too."""
OLDER_NAMES = {"jobstore_url": "database_url", "max_concurrent_jobs": "max_workers"}
SECRETS = ("token", "database_url", "webhook_secret", "smtp_url", "notify_targets")
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:)(.+)")

Fields = Mapping[str, FieldInfo]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says: settings by their names of today, and where in the file each stands."""

    path: Path
    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    document: Document = field(default_factory=lambda: Document(None))

    def locate(self, problem: Problem) -> Problem:
        """Return a problem of a setting, told for the line of the file that it stands on."""
        name, *inner = problem.field.split(".")
        steps = tuple(int(step) if step.isdecimal() else step for step in inner)
        return self.at(problem, (*self.places[name], *steps))

    def at(self, problem: Problem, place: Place) -> Problem:
        """Return a problem, told for a place in the file."""
        text = f"{self.path}, line {self.document.line(place)}: {problem.message}"
        return replace(problem, message=text)

    def warnings(self, allowed: Sequence[Path], readable: Sequence[Path]) -> list[str]:
        """Say who may change the file or read a secret in it; tasks write in `allowed`, and read in both."""
        path = _resolved(self.path)
        exists = path.exists()
        what = f"a task could {'change' if exists else 'make'} it, and the next start reads it"
        found = [
            f"the configuration file {self.path} lies inside the allowed directory {folder}: {what}"
            for folder in _around(path, tuple(allowed))
        ]
        return found + (self._told_by_mode(path, [*allowed, *readable]) if exists else [])

    def _told_by_mode(self, path: Path, folders: Sequence[Path]) -> list[str]:
        mode = path.stat().st_mode
        secrets = ", ".join(name for name in SECRETS if _is_secret(name, self.values.get(name)))
        holds = f"the configuration file {self.path} holds a secret ({secrets}) that"
        found = []
        if stat.S_ISREG(mode) and mode & stat.S_IWOTH:
            found.append(f"every user may write the configuration file {self.path}: chmod o-w {self.path}")
        if secrets and mode & stat.S_IROTH:
            found.append(f"{holds} every user may read: chmod o-r {self.path}")
        if secrets and _around(path, tuple(folders)):
            found.append(f"{holds} tasks may read: move the file out of the directories that they use")
        return found


@lru_cache(maxsize=16)
def _resolved(path: Path) -> Path:
    return path.resolve()


@lru_cache(maxsize=64)
def _around(path: Path, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return those of the folders that the path lies in."""
    return tuple(folder for folder in folders if path.is_relative_to(folder))


def open_config_file(named: str | Path | None, fields: Fields) -> ConfigFile:
    """Read the file that was named, else the one in its usual place, where there may be none.

    Raise `InvalidRequest` with every unknown or repeated name, and its line.
    """
    try:
        path = absolute(Path(DEFAULT_FILE if named is None else named))
    except ValueError as error:
        raise InvalidRequest([Problem("config", f"the configuration file {error}", str(named))]) from error
    try:
        document = read_yaml(path.read_bytes())
    except OSError as error:
        if named is None and isinstance(error, FileNotFoundError | NotADirectoryError):
            return ConfigFile(path)
        text = f"the configuration file {path} cannot be read: {error.strerror}"
        raise InvalidRequest([Problem("config", text, str(path))]) from error
    except YamlError as error:
        text = f"{path}, line {error.line}: {error.message}"
        raise InvalidRequest([Problem("config", text, str(path))]) from error
    return _Reader(path, document, fields).read()


class _Reader:
    """Gather the settings of one file."""

    def __init__(self, path: Path, document: Document, fields: Fields) -> None:
        self._file, self._fields = ConfigFile(path, document=document), fields
        self._base = _base(path)
        self._values: dict[str, Any] = {}
        self._places: dict[str, Place] = {}
        self._problems: list[Problem] = []

    def read(self) -> ConfigFile:
        self._gather(self._file.document.value, ())
        if self._problems:
            raise InvalidRequest(self._problems)
        return replace(self._file, values=self._values, places=self._places)

    def _gather(self, settings: Any, where: Place) -> None:
        if settings is not None and not isinstance(settings, dict):
            text = "settings are wanted here, as NAME: VALUE"
            self._refuse(Problem(SECTION if where else "config", text, shorten(settings)), where)
            return
        for name, value in (settings or {}).items():
            if name == SECTION and not where:
                self._gather(value, (SECTION,))
            elif value is not None:
                self._take(name, value, (*where, name))

    def _take(self, name: str, value: Any, place: Place) -> None:
        setting = OLDER_NAMES.get(name, name)
        if setting not in self._fields:
            self._refuse(_unknown(name, value, self._fields), place)
        elif setting in self._places:
            first = self._places[setting]
            text = f"'{place[-1]}' gives the setting '{setting}' again, which '{first[-1]}' on line "
            text += f"{self._file.document.line(first)} gives already: remove one of the two"
            self._refuse(Problem(name, text, shorten(value)), place)
        else:
            self._places[setting] = place
            self._values[setting] = self._plain(setting, value, place)

    def _plain(self, setting: str, value: Any, place: Place) -> Any:
        annotation = self._fields[setting].annotation
        if isinstance(value, bool) and annotation is not bool:
            # Taken for the number 1 otherwise.
            text = f"'{place[-1]}' must not be the boolean {str(value).lower()}"
            self._refuse(Problem(setting, text, value), place)
        if setting == "database_url" and isinstance(value, str):
            return _RELATIVE_SQLITE.sub(lambda found: f"{found[1]}{self._base / found[2]}", value)
        return _placed(value, annotation, self._base)

    def _refuse(self, problem: Problem, place: Place) -> None:
        self._problems.append(self._file.at(problem, place))


def _base(path: Path) -> Path:
    """Return where relative paths begin: beside `config/` where the file is called config/scheduler.yaml."""
    usual = path.parts[-2:] == DEFAULT_FILE.parts
    return path.parent.parent if usual else path.parent


def _placed(value: Any, annotation: Any, base: Path) -> Any:
    """Return the value of a setting with its paths, if it has any, counted from `base`."""
    if not _holds_paths(annotation):
        return value
    if get_origin(annotation) is tuple:
        parts = [part for part in value.split(":") if part.strip()] if isinstance(value, str) else value
        return [_joined(part, base) for part in parts] if isinstance(parts, list) else value
    return _joined(value, base)


def _holds_paths(annotation: Any) -> bool:
    return annotation is Path or any(map(_holds_paths, get_args(annotation)))


def _joined(value: Any, base: Path) -> Any:
    """Return where a path counts from; one in a home is whole, or refused where the setting is checked."""
    if not isinstance(value, str) or not value.strip() or value.startswith("~"):
        return value
    return str(base / value)


def _unknown(name: str, value: Any, fields: Fields) -> Problem:
    known = sorted({*fields, *OLDER_NAMES, SECTION})
    guess = nearest(name, known)
    hint = f"; did you mean '{guess}'?" if guess else f"; known: {', '.join(known)}"
    return Problem(name, f"'{name}' is no setting{hint}", shorten(value), known, guess, "unknown_field")


def _is_secret(name: str, value: Any) -> bool:
    """Whether a setting holds a secret: a token does, a URL where a password is in it."""
    always = name in ("token", "webhook_secret", "notify_targets")
    return value is not None and (always or re.search(r"//[^/@]*:[^/@]+@|password=", str(value)) is not None)
