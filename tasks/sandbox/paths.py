"""Decide which paths a task may name.

These checks are for clear messages when a task is created and when it runs. They are no boundary
against what the task itself does once it runs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tasks.results import Refusal, TaskRefused

MAX_PATH_BYTES = 4095


class AllowedDirs:
    """The directories in which everything that a task names must lie; links in them are resolved once.

    `packages` are the installed packages that functions may come from though they lie elsewhere.
    """

    def __init__(self, dirs: Sequence[Path], packages: Sequence[str] = ()) -> None:
        if not dirs:
            raise ValueError("At least one allowed directory is needed.")
        self.dirs: tuple[Path, ...] = tuple(Path(os.path.realpath(path)) for path in dirs)
        self.packages = tuple(packages)

    def __repr__(self) -> str:
        return f"AllowedDirs({[str(path) for path in self.dirs]})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AllowedDirs) and (self.dirs, self.packages) == (other.dirs, other.packages)

    def __hash__(self) -> int:
        return hash((self.dirs, self.packages))

    @property
    def first(self) -> Path:
        """The directory that relative paths start from."""
        return self.dirs[0]

    def holding(self, path: Path) -> Path | None:
        """Return the outermost allowed directory that holds a resolved path, or None."""
        found = [allowed for allowed in self.dirs if path.is_relative_to(allowed)]
        return min(found, key=lambda allowed: len(allowed.parts), default=None)

    def resolve(self, text: str, field: str) -> Path:
        """Return the absolute path that `text` means, links and `..` followed.

        `~` is the home directory, a relative path starts at the first allowed directory, and the
        path need not exist. Raise TaskRefused, naming the allowed directories, where it lies outside.
        """
        fault = _fault(text)
        if fault:
            raise TaskRefused([self._refusal(text, field, f"{field} {fault}")])
        try:
            resolved = Path(os.path.realpath(self.first / Path(text).expanduser()))
        except RuntimeError as error:  # `~name` of nobody
            raise TaskRefused([self._refusal(text, field, f"{field} {text!r}: {error}")]) from error
        if self.holding(resolved) is None:
            raise TaskRefused([self._refusal(text, field, _outside(text, field, resolved))])
        return resolved

    def _refusal(self, text: str, field: str, message: str) -> Refusal:
        allowed = ", ".join(str(path) for path in self.dirs)
        noun = "directory is" if len(self.dirs) == 1 else "directories are"
        return Refusal(
            field,
            f"{message}; the allowed {noun} {allowed}",
            got=text,
            accepted=tuple(str(path) for path in self.dirs),
            suggestion=self._suggestion(text),
            code="path_not_allowed",
        )

    def _suggestion(self, text: str) -> str:
        """Return a path that would be accepted: the same name in the first directory, or that itself."""
        name = "".join(char for char in os.path.basename(text) if char.isprintable())[:255]
        path = Path(os.path.realpath(self.first / name))
        return str(path if self.holding(path) else self.first)


def _fault(text: str) -> str | None:
    if not text.strip():
        return "must not be empty"
    if any(char in text for char in "\0\n\r"):
        return f"{text!r} must not contain NUL or line breaks"
    try:
        size = len(os.fsencode(text))
    except UnicodeEncodeError:
        return f"{text!r} cannot be a file name"
    return f"is longer than {MAX_PATH_BYTES} bytes" if size > MAX_PATH_BYTES else None


def _outside(text: str, field: str, resolved: Path) -> str:
    meaning = "" if text == str(resolved) else f" (it means {str(resolved)!r})"
    return f"{field} {text!r} lies outside the allowed directories{meaning}"
