"""Paths of settings that lead nowhere are refused, each with the setting's name."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest
from scheduler.temporary import TemporaryData

PATHS = ["allowed_dirs", "read_dirs", "data_dir", "log_file", "users_file", "jobs_file", "jobs_dir"]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory that it is started in, which has no configuration file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody have a home."""

    def unknown(_: object) -> None:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.fixture
def circle(elsewhere: Path) -> str:
    path = elsewhere / "circle"
    path.symlink_to(path)
    return str(path)


def read(**settings: str) -> SchedulerConfig:
    return SchedulerConfig.from_environment({f"SCHEDULER_{name.upper()}": text for name, text in settings.items()})


@pytest.mark.parametrize("name", [*PATHS, "config"])
def test_a_home_that_nobody_has_is_refused(elsewhere: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="'~nobodyhere/x' begins in a home directory that is not known") as caught:
        read(**{"data_dir": "/nowhere/data", name: "~nobodyhere/x"})
    assert name in caught.value.message or name == "config"


@pytest.mark.parametrize("name", PATHS[:5])
def test_links_in_a_circle_are_refused(circle: str, name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"'{name}.*leads by links in a circle"):
        read(**{"data_dir": "/nowhere/data", name: circle})


def test_a_home_that_nobody_has_is_refused_with_its_line(elsewhere: Path) -> None:
    (elsewhere / "x.yaml").write_text("port: 1\nlog_file: ~nobodyhere/x\n")
    with pytest.raises(InvalidRequest, match="line 2: 'log_file': '~nobodyhere/x' begins"):
        read(config="x.yaml", data_dir="/nowhere/data")


def test_a_home_in_the_file_is_the_users(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    (elsewhere / "x.yaml").write_text("log_file: ~/x\nread_dirs: [~/y]\n")
    found = read(config="x.yaml", data_dir="/nowhere/data")
    assert (found.log_file, found.read_dirs) == (Path("/nowhere/x"), (Path("/nowhere/y"),))


def test_without_a_home_a_data_directory_must_be_named(elsewhere: Path, homeless: None) -> None:
    assert read(data_dir="/nowhere/data").state_dir == Path("/nowhere/data")
    with pytest.raises(InvalidRequest, match="no home directory to keep the data in: set SCHEDULER_DATA_DIR"):
        read()
    with pytest.raises(InvalidRequest, match="lie inside one another"):
        read(data_dir=str(elsewhere / "data"))


def test_a_program_without_a_home_keeps_its_state_where_temporary_files_go(tmp_path: Path, homeless: None) -> None:
    temporary = TemporaryData([tmp_path], dict(os.environ))
    assert temporary.path.is_dir()
    temporary.close()
