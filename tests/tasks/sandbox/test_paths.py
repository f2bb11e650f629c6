"""Everything that a task names must lie inside the allowed directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks import TaskRefused
from tasks.sandbox import AllowedDirs


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AllowedDirs:
    """Two allowed directories, one of them named by a link, with links in and out of the first."""
    first, second = tmp_path / "first", tmp_path / "second dir"
    for directory in (first / "sub", second, tmp_path / "outside", tmp_path / "firstborn"):
        directory.mkdir(parents=True)
    (tmp_path / "alias").symlink_to(first)
    (first / "out").symlink_to(tmp_path / "outside")
    (first / "across").symlink_to(second)
    (first / "loop").symlink_to("loop")
    (first / "dangling").symlink_to(tmp_path / "outside" / "new")
    monkeypatch.setenv("HOME", str(first / "sub"))
    return AllowedDirs([tmp_path / "alias", second])


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (".", "first"),
        ("a.py", "first/a.py"),
        ("sub/../a.py", "first/a.py"),
        ("~", "first/sub"),
        ("~/a", "first/sub/a"),
        ("across/x", "second dir/x"),
        ("../first/a", "first/a"),
        ("../second dir/a", "second dir/a"),
        ("ünïcode ✓.py", "first/ünïcode ✓.py"),
        ("--rootdir=/", "first/--rootdir="),
        ("-c", "first/-c"),
        ("sub//deep///x", "first/sub/deep/x"),
        ("no/such/thing", "first/no/such/thing"),
        ("~not-at-the-start", None),
        ("..", None),
        ("../outside", None),
        ("out", None),
        ("out/../second dir", "second dir"),
        ("dangling", None),
        ("../firstborn/x", None),
        ("/etc/passwd", None),
        ("/", None),
        ("//etc/passwd", None),
        ("/proc/self/cwd", None),
        ("", None),
        ("  ", None),
        ("a\0b", None),
        ("a\nb", None),
        ("a\rb", None),
        ("\ud800", None),
        ("x" * 5000, None),
    ],
)
def test_resolve(allowed: AllowedDirs, tmp_path: Path, text: str, means: str | None) -> None:
    if means is not None:
        assert allowed.resolve(text, "file_path") == tmp_path / means
        return
    with pytest.raises(TaskRefused) as caught:
        allowed.resolve(text, "file_path")
    problem = caught.value.problems[0]
    assert (problem.field, problem.code, problem.got) == ("file_path", "path_not_allowed", text)
    assert str(tmp_path / "first") in problem.message
    assert str(tmp_path / "second dir") in problem.message
    assert allowed.resolve(str(problem.suggestion), "file_path")


def test_absolute_paths_inside(allowed: AllowedDirs, tmp_path: Path) -> None:
    assert allowed.resolve(f"{tmp_path}/alias/x", "f") == tmp_path / "first/x"
    assert allowed.resolve(f"{tmp_path}/second dir", "f") == tmp_path / "second dir"


def test_a_loop_of_links_is_no_way_out(allowed: AllowedDirs, tmp_path: Path) -> None:
    assert allowed.resolve("loop", "f").is_relative_to(tmp_path / "first")


def test_message_tells_where_a_path_leads(allowed: AllowedDirs, tmp_path: Path) -> None:
    with pytest.raises(TaskRefused, match=r"'out/x' lies outside.*it means '.*/outside/x'"):
        allowed.resolve("out/x", "file_path")


def test_holding_gives_the_outermost(tmp_path: Path) -> None:
    dirs = AllowedDirs([tmp_path / "a" / "b", tmp_path / "a"])
    assert dirs.holding(tmp_path / "a" / "b" / "c") == tmp_path / "a"
    assert dirs.holding(tmp_path) is None


def test_none_allowed_is_a_mistake() -> None:
    with pytest.raises(ValueError):
        AllowedDirs([])
