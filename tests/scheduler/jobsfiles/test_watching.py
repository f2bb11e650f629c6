"""A change of a file is told however it arrives: by the file, by a folder on the way to it, or by a link."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.events import FileCreatedEvent, FileModifiedEvent
from watchdog.observers import Observer

from scheduler.jobsfiles.watching import Watcher

SECONDS = 10.0


class Told:
    """A watcher of paths, and whether it was told of a change."""

    def __init__(self, *paths: Path) -> None:
        self._event = threading.Event()
        self.watcher = Watcher(paths, self._event.set)
        self.watcher.refresh()

    def soon(self) -> bool:
        """Whether a change is told, and look what is to be watched now, as whoever follows files does."""
        told = self._event.wait(SECONDS)
        self._event.clear()
        self.watcher.refresh()
        return told

    def at_once(self, path: Path) -> bool:
        """Whether something about a path counts as a change."""
        self._event.clear()
        self.watcher.on_any_event(FileCreatedEvent(str(path)))
        return self._event.is_set()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Told]]:
    made: list[Told] = []

    def make(*names: str) -> Told:
        made.append(Told(*(tmp_path / name for name in names)))
        return made[-1]

    yield make
    for told in made:
        told.watcher.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory with files of jobs at some depth, and links that lead to them."""
    for name in ("site/conf", "other/conf", "versions/1", "versions/2", "apart", "dir"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "jobs.yaml").write_text("[]")
    (tmp_path / "secret/..1").mkdir(parents=True)
    (tmp_path / "secret/..2").mkdir()
    (tmp_path / "secret/..data").symlink_to("..1")
    (tmp_path / "secret/jobs.yaml").symlink_to("..data/jobs.yaml")
    (tmp_path / "current").symlink_to("versions/1")
    (tmp_path / "apart/chain").symlink_to(tmp_path / "current/../1")
    (tmp_path / "dir/linked.yaml").symlink_to("../apart/jobs.yaml")
    return tmp_path


def exchange(path: Path, new: Path) -> None:
    path.rename(path.with_name(f"{path.name}.old"))
    new.rename(path)


def lead(path: Path, target: str) -> None:
    """Let a link lead elsewhere, in one step."""
    beside = path.with_name(f"{path.name}.new")
    beside.symlink_to(target)
    os.replace(beside, path)


WAYS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "written": ("site/conf/jobs.yaml", lambda root: (root / "site/conf/jobs.yaml").write_text("x")),
    "replaced": (
        "site/conf/jobs.yaml",
        lambda root: os.replace(root / "apart/jobs.yaml", root / "site/conf/jobs.yaml"),
    ),
    "removed": ("site/conf/jobs.yaml", lambda root: (root / "site/conf/jobs.yaml").unlink()),
    "in another folder": ("site/conf/jobs.yaml", lambda root: exchange(root / "site/conf", root / "other/conf")),
    "in another folder around": ("site/conf/jobs.yaml", lambda root: exchange(root / "site", root / "other")),
    "folder moved away": ("site/conf/jobs.yaml", lambda root: (root / "site").rename(root / "dir/site")),
    "another folder of files": ("site/conf", lambda root: exchange(root / "site/conf", root / "other/conf")),
    "another one around": ("site/conf", lambda root: exchange(root / "site", root / "other")),
    "link in the middle": ("secret/jobs.yaml", lambda root: lead(root / "secret/..data", "..2")),
    "link as a folder": ("current/jobs.yaml", lambda root: lead(root / "current", "versions/2")),
    "link as the folder of files": ("current", lambda root: lead(root / "current", "versions/2")),
    "link of a link": ("apart/chain/jobs.yaml", lambda root: lead(root / "current", "dir")),
    "where a link leads": ("current/jobs.yaml", lambda root: (root / "versions/1/jobs.yaml").write_text("x")),
    "where links lead": ("apart/chain/jobs.yaml", lambda root: (root / "versions/1/jobs.yaml").write_text("x")),
    "folder where a link leads": ("current/jobs.yaml", lambda root: exchange(root / "versions/1", root / "versions/2")),
    "where a link among files leads": ("dir", lambda root: (root / "apart/jobs.yaml").write_text("x")),
}


@pytest.mark.parametrize(("path", "change"), WAYS.values(), ids=WAYS)
def test_change_is_told(watch: Callable[..., Told], folder: Path, path: str, change: Callable[[Path], object]) -> None:
    told = watch(path)
    change(folder)
    assert told.soon()


def test_what_came_by_a_move_is_watched(watch: Callable[..., Told], folder: Path) -> None:
    told = watch("site/conf/jobs.yaml", "secret/jobs.yaml")
    exchange(folder / "site", folder / "other")
    assert told.soon()
    (folder / "site/conf/jobs.yaml").write_text("x")
    assert told.soon()
    lead(folder / "secret/..data", "..2")
    assert told.soon()
    (folder / "secret/..2/jobs.yaml").write_text("x")
    assert told.soon()


def test_path_that_comes_step_by_step(watch: Callable[..., Told], folder: Path) -> None:
    told = watch("new/conf/jobs.yaml")
    for name in ("new", "new/conf"):
        (folder / name).mkdir()
        assert told.soon()
    (folder / "new/conf/jobs.yaml").write_text("x")
    assert told.soon()


def test_folder_that_takes_the_place_of_a_file(watch: Callable[..., Told], folder: Path) -> None:
    told = watch("site/conf/jobs.yaml/jobs.yaml")
    assert {path.name for path in told.watcher._watches} >= {"site", "conf"}
    assert folder / "site/conf/jobs.yaml" not in told.watcher._watches
    (folder / "site/conf/jobs.yaml").unlink()
    assert told.soon()
    (folder / "site/conf/jobs.yaml").mkdir()
    assert told.soon()
    (folder / "site/conf/jobs.yaml/jobs.yaml").write_text("x")
    assert told.soon()


def test_links_that_lead_round_are_left_alone(watch: Callable[..., Told], tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    told = watch("a")
    assert told.watcher.trouble is None
    (tmp_path / "b").unlink()
    assert told.soon()


def test_only_what_lies_on_the_way_matters(watch: Callable[..., Told], folder: Path) -> None:
    told = watch("site/conf/jobs.yaml", "dir")
    for name, matters in {
        "site": True,
        "site/conf": True,
        "site/conf/jobs.yaml": True,
        "site/conf/other.yaml": False,
        "site/other": False,
        "other": False,
        "dir": True,
        "dir/more.yaml": True,
        "dir/deep/more.yaml": False,
        "apart/jobs.yaml": True,
        "apart": True,
    }.items():
        assert told.at_once(folder / name) is matters, name


def test_what_is_written_beside_the_way_is_not_asked_for(
    watch: Callable[..., Told], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks may write much in a directory above that of the files."""
    asked: dict[str, bool] = {}
    schedule = Observer.schedule

    def note(self: Any, handler: Any, path: str, *, event_filter: list[type]) -> Any:
        asked[path] = FileModifiedEvent in event_filter
        return schedule(self, handler, path, event_filter=event_filter)

    monkeypatch.setattr(Observer, "schedule", note)
    watch("site/conf/jobs.yaml")
    assert {path for path, written in asked.items() if written} == {str(folder / "site/conf")}
    assert {str(path) for path in (folder / "site/conf/jobs.yaml").parents} == asked.keys()


def test_folder_that_may_not_be_read_is_told_and_hides_nothing_else(
    watch: Callable[..., Told], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = Observer.schedule

    def refuse(self: Any, handler: Any, path: str, **how: Any) -> Any:
        if path == str(closed):
            raise PermissionError(13, "Permission denied")
        return schedule(self, handler, path, **how)

    monkeypatch.setattr(Observer, "schedule", refuse)
    closed = folder
    told = watch("site/conf/jobs.yaml")
    assert told.watcher.trouble is not None
    assert told.watcher.trouble.startswith(f"what is renamed in {folder} is not told (Permission denied); the files")
    (folder / "site/conf/jobs.yaml").write_text("x")
    assert told.soon()
    closed = folder / "site/conf"
    assert str(watch("site/conf/jobs.yaml").watcher.trouble).startswith("changes are not told (Permission denied)")
