"""Keep programs that share a database apart: each has a namespace, which is a set of tables of its own."""

from __future__ import annotations

import re
import sys
from hashlib import blake2b
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from scheduler.errors import InvalidRequest, Problem

DEFAULT = "default"
"""The namespace of the server, whose tables stand where the database's URL says."""

_MAIN = "__main__"
_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OWN = __name__.partition(".")[0]


class Maker(NamedTuple):
    """Who makes a scheduler: the name of a module, or a program's main file by its path; and where its file lies."""

    name: str
    file: str | None

    @property
    def mark(self) -> int | None:
        """A number that stands for the place of the file, where the name does not say it already."""
        if self.file is None or self.name == self.file:
            return None
        return int.from_bytes(blake2b(self.file.encode(), digest_size=7).digest(), "big")


def maker_of(made: object) -> Maker:
    """Return who makes `made` at this moment.

    Several processes of one program give the same name. Other programs give another one, unless their modules are
    called alike: then the files differ.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_inner(frame, made):
        frame = frame.f_back
    names = frame.f_globals if frame is not None else {}
    name = module_name(str(names.get("__name__", _MAIN)))
    file = None if names.get("__file__") is None else str(Path(names["__file__"]).resolve())
    if name != _MAIN:
        return Maker(name, file)
    if file is None:
        text = "a program without a file must say whose jobs these are: SchedulerConfig(namespace=...)"
        raise InvalidRequest([Problem("namespace", text, None, ["any text"], "my_program", code="missing_field")])
    return Maker(file, file)


def module_name(name: str) -> str:
    """Return what a module is called in every process of its program: multiprocessing gives the main one a new name."""
    return _MAIN if name == "__mp_main__" else name


def label_of(namespace: str) -> str:
    """Return a word of at most 40 letters, digits and underscores that stands for a namespace and for no other."""
    if _PLAIN.fullmatch(namespace):
        return namespace
    readable = re.sub(r"[^a-z0-9]+", "_", Path(namespace).stem.lower()).strip("_")[:23]
    # A plain name has no such ending by chance: two underscores stand before it.
    return f"n{readable and '_'}{readable}__{blake2b(namespace.encode(), digest_size=6).hexdigest()}"


def schema_of(namespace: str) -> str | None:
    """Return the schema of PostgreSQL that a namespace has; None for that which the URL leads to."""
    return None if namespace == DEFAULT else f"scheduler_{label_of(namespace)}"


def file_of(namespace: str, path: Path) -> Path:
    """Return the file of SQLite that a namespace has: but for the default one, one of its own beside the named one."""
    if namespace == DEFAULT:
        return path
    return path.with_name(f"{path.stem}.{label_of(namespace)}{path.suffix}")


def _is_inner(frame: FrameType, made: object) -> bool:
    """Whether a frame belongs to this package, or to a class that makes `made` as a kind of its own."""
    if str(frame.f_globals.get("__name__", "")).partition(".")[0] == _OWN:
        return True
    return frame.f_code.co_name == "__init__" and frame.f_locals.get("self") is made
