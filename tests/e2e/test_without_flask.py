"""The synchronous examples in a virtual environment that has nothing of the web part."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tomllib
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.contract.test_embedding_page import programs
from tests.server import ROOT

pytestmark = pytest.mark.soak

WEB = {"flask", "flask-openapi3", "gunicorn", "werkzeug", "jinja2", "click", "prometheus-client", "apprise", "rich"}


def name_of(requirement: str) -> str:
    """Return the name in a requirement, as pip writes it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0].lower())  # type: ignore[index]


def closure(names: Iterable[str]) -> dict[str, Distribution]:
    """Return the distributions of these names and of all that they need here, without extras."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name in WEB:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # needed on another platform, or for another version of Python
            continue
        waiting += [name_of(text) for text in found[name].requires or [] if "extra ==" not in text]
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment with what the project needs, but for the web part."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    there = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}, scheme="venv"))
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for package in closure(map(name_of, needed)).values():
        for top in {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (there / top).exists():
                (there / top).symlink_to(Path(str(package.locate_file(top))))
    for name in ("scheduler", "tasks"):
        (there / name).symlink_to(ROOT / name)
    return folder / "bin" / "python"


def test_there_is_no_web_part(python: Path) -> None:
    for name in ("flask", "gunicorn", "click", "werkzeug"):
        assert subprocess.run([python, "-c", f"import {name}"], stderr=subprocess.DEVNULL, check=False).returncode == 1


SYNCHRONOUS = [program for program in programs() if "aio" not in program[1]]


@pytest.mark.parametrize(("heading", "program", "output"), SYNCHRONOUS, ids=[name for name, *_ in SYNCHRONOUS])
def test_the_synchronous_programs_of_the_page(
    heading: str, program: str, output: str, python: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(program)
    command = [python, "-W", "error", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line] == output.splitlines()
