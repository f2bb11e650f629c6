"""A private directory is removed with all that is in it, and nothing else is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.sandbox.private_dir import remove_tree

SCANDIR = os.scandir


class Listed(list[os.DirEntry[str]]):
    """What os.scandir returned."""

    def __enter__(self) -> Listed:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "victim"
    folder.mkdir(mode=0o755)
    (folder / "kept").touch()
    return folder


@pytest.fixture
def after_listing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], None]], None]:
    """Have something happen right after a directory with a certain name in it was listed."""

    def prepare(name: str, happen: Callable[[], None]) -> None:
        def scandir(path: Any) -> Any:
            with SCANDIR(path) as found:
                entries = Listed(found)
                is_folder = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
            if is_folder.get(name):
                happen()
            return entries

        monkeypatch.setattr(os, "scandir", scandir)

    return prepare


@pytest.mark.parametrize("folder", ["", "a"])
def test_a_link_put_in_a_folders_place_is_not_followed(
    tmp_path: Path, victim: Path, after_listing: Any, folder: str
) -> None:
    private = tmp_path / "private"
    swapped = private / folder / "swapped"
    (swapped / "below").mkdir(parents=True)

    def swap() -> None:
        swapped.rename(tmp_path / "taken away")
        swapped.symlink_to(victim)

    after_listing("swapped", swap)
    remove_tree(private)
    assert swapped.is_symlink()
    assert victim.stat().st_mode & 0o777 == 0o755
    assert (victim / "kept").exists()
    remove_tree(private)
    assert not private.exists()


def test_a_folder_of_any_mode_with_links_and_equal_names_is_removed(tmp_path: Path, victim: Path) -> None:
    private = tmp_path / "private"
    (private / "a/b/c").mkdir(parents=True)
    (private / "a/.removed-0").touch()
    (private / ".removed-0").touch()
    (private / "a/link").symlink_to(victim)
    (private / "a/b/c/link").symlink_to(victim)
    for name in ("a/b/c", "a/b", "a", "."):
        (private / name).chmod(0)
    remove_tree(private)
    assert not private.exists()
    assert victim.stat().st_mode & 0o777 == 0o755
    assert (victim / "kept").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do without")
def test_root_needs_no_right_to_change_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    (private / "a/b").mkdir(parents=True)
    (private / "a").chmod(0)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chmod", refuse)
    remove_tree(private)
    assert not private.exists()
