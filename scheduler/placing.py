"""Decide where an embedded scheduler keeps its state: whose jobs they are, in which directory, and for how long."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TypeVar

from scheduler.config import SchedulerConfig
from scheduler.directories import default_data_dir
from scheduler.errors import InvalidRequest, Problem
from scheduler.namespaces import DEFAULT, label_of, maker_of
from scheduler.store import Database, data_dir_beside, state
from scheduler.temporary import TemporaryData

log = logging.getLogger(__name__)

Settings = TypeVar("Settings", bound=SchedulerConfig)


def with_namespace(config: Settings, made: object) -> Settings:
    """Fill in whose jobs these are: on a database that others may use, those of the program that makes `made`."""
    if config.namespace is not None:
        return config
    if config.database_url is None:
        return config.model_copy(update={"namespace": DEFAULT})
    maker = maker_of(made)
    return config.named_by(maker.name, maker.mark)


def note_maker(store: Database, config: SchedulerConfig) -> list[str]:
    """Remember whose namespace this is, where a module gave it its name; say so if it was another file's so far."""
    mark = config.maker_mark
    if mark is None or not store.write(lambda connection: state.note(connection, "maker", mark)):
        return []
    told = (
        f"the namespace {config.namespace!r} was last used by a module of that name in another file. Where this is "
        "another program, the two see each other's jobs: give each SchedulerConfig(namespace=...). Where the program "
        "has moved, all is well."
    )
    log.warning("%s", told)
    return [told]


def with_place(config: SchedulerConfig) -> tuple[SchedulerConfig, TemporaryData | None]:
    """Fill in the data directory, with what removes it where nothing shall outlive the scheduler."""
    namespace = config.namespace or DEFAULT
    if not config.is_of_operator:
        _check_database(config)
    if config.data_dir is not None:
        # Lease, doorbell and private directories are a namespace's own.
        path = config.data_dir if namespace == DEFAULT else config.data_dir / label_of(namespace)
        return config.model_copy(update={"data_dir": path}), None
    temporary = None
    if config.database_url is None:
        temporary = TemporaryData(config.allowed_dirs)
        path = temporary.path
    else:
        elsewhere = default_data_dir(os.environ) / "embedded" / label_of(namespace)
        path = data_dir_beside(config.database_url, namespace) or elsewhere
        _check_apart(config, path)
    return config.model_copy(update={"data_dir": path}), temporary


def make_data_dir(path: Path) -> None:
    """Make the data directory where it is not there; raise `InvalidRequest` where it cannot be used."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        why = None if os.access(path, os.W_OK | os.X_OK) else "this user may not write there"
    except OSError as error:
        why = error.strerror
    if why is not None:
        text = f"the data directory {path} cannot be used: {why}. Set SCHEDULER_DATA_DIR to one that may be written"
        raise InvalidRequest([Problem("SCHEDULER_DATA_DIR", text, str(path))])


def _check_database(config: SchedulerConfig) -> None:
    """Refuse a database that tasks could reach, wherever the scheduler's directory is; an operator is warned of it."""
    file = config.database_file
    if file is None or config.sandbox == "off":
        return
    for allowed in config.allowed_dirs:
        if file.is_relative_to(allowed):
            text = (
                f"the database {file} lies inside the allowed directory {allowed}, so a task could read and change "
                "it: name a database elsewhere, or give allowed_dirs= narrower ones"
            )
            raise InvalidRequest([Problem("database_url", text, str(file), ["a place outside allowed_dirs"])])


def _check_apart(config: SchedulerConfig, path: Path) -> None:
    """Refuse a directory that tasks could reach, where anything keeps them from reaching others."""
    for allowed in config.allowed_dirs if config.sandbox != "off" else ():
        if path.is_relative_to(allowed) or allowed.is_relative_to(path):
            text = (
                f"the scheduler's directory {path} and the allowed directory {allowed} lie inside one another, so a "
                "task could read and change what it keeps: give data_dir= a directory outside, or allowed_dirs= "
                "narrower ones"
            )
            raise InvalidRequest([Problem("data_dir", text, str(path), ["a place outside allowed_dirs"])])
