"""What a run plants for programs to come is confined as the run was; without the sandbox it is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tasks import BaseTask, CommandTask, CustomTask, ScriptTask, TestTask

STEAL = "open('{stolen}', 'w').write(open('{secret}').read())\n"


def plant_for_python(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    """A module that Python imports at each start, within reach by PYTHONPATH."""
    (ground.workspace / "sitecustomize.py").write_text(code)
    return CustomTask(custom_script="pass"), {"PYTHONPATH": str(ground.workspace)}


def plant_conftest(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    (ground.workspace / "conftest.py").write_text(code)
    (ground.workspace / "test_x.py").write_text("def test_x(): pass")
    return TestTask(), _packages()


def plant_plugin(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    (ground.workspace / "plugin.py").write_text(code)
    (ground.workspace / "test_x.py").write_text("def test_x(): pass")
    return TestTask(args=["-p", "plugin"]), _packages()


def plant_shadow_module(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    (ground.workspace / "json.py").write_text(code)
    return CustomTask(custom_script="import json"), {}


def plant_module_of_the_supervisor(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    for name in ("ctypes", "marshal", "select", "signal", "resource"):
        (ground.workspace / f"{name}.py").write_text(code)
    return CustomTask(custom_script="import ctypes"), {"PYTHONPATH": str(ground.workspace)}


def plant_program(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    program = ground.workspace / "ls"
    program.write_text(f"#!/usr/bin/env -S /usr/bin/python3 -I\n{code}")
    program.chmod(0o755)
    return CommandTask(command="ls"), {"PATH": f"{ground.workspace}:/usr/bin:/bin"}


def plant_in_git(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    hook = ground.workspace / "hook"
    hook.write_text(f"#!/usr/bin/python3 -I\n{code}")
    hook.chmod(0o755)
    command = f"rm -rf .git; git init -q .; git -c core.fsmonitor={hook} status >/dev/null"
    return CommandTask(command=command), {}


def plant_file_like_an_option(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    (ground.workspace / "-c").write_text(code)
    return ScriptTask(file_path="-c"), {}


def plant_startup_file(ground: Any, code: str) -> tuple[BaseTask, dict[str, str]]:
    (ground.workspace / "rc").write_text(f'/usr/bin/python3 -I -c "{code}"')
    return CommandTask(command="BASH_ENV=rc bash -c true"), {}


PLANTS = [value for name, value in dict(globals()).items() if name.startswith("plant_")]


def _packages() -> dict[str, str]:
    """Let runs find pytest, but none of the plugins beside it, which would cost each a second."""
    return {"PYTHONPATH": os.path.dirname(os.path.dirname(pytest.__file__)), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_planted_code_stays_inside(plant: Any, ground: Any, outside: Any) -> None:
    folder = outside()
    ground.confine(read_dirs=[Path(_packages()["PYTHONPATH"])])
    code = STEAL.format(stolen=folder / "stolen", secret=folder / "secret")
    task, env = plant(ground, code)
    ground.run(task, env=env)
    assert not (folder / "stolen").exists()
    ground.confinement = None
    ground.run(task, env=env)
    assert (folder / "stolen").read_text() == "secret", ground.out + ground.err


@pytest.mark.parametrize("args", [["{o}"], ["--rootdir=/", "{o}"], ["--junitxml={o}/x"], ["--log-file={o}/x"]])
def test_options_of_pytest_reach_nothing_outside(args: list[str], ground: Any, outside: Any) -> None:
    folder = outside()
    (folder / "test_x.py").write_text(f"def test_x(): open({str(folder / 'x')!r}, 'w')")
    (ground.workspace / "test_y.py").write_text("def test_y(): import logging; logging.warning('x')")
    ground.confine(read_dirs=[Path(_packages()["PYTHONPATH"])])
    task = TestTask(args=[arg.format(o=folder) for arg in args])
    ground.run(task, env=_packages())
    assert not (folder / "x").exists()
    ground.confinement = None
    ground.run(task, env=_packages())
    assert (folder / "x").exists(), ground.out


def test_script_that_becomes_a_link_outside(ground: Any, outside: Any) -> None:
    folder = outside()
    (ground.workspace / "s.py").write_text("print('inside')")
    task = ScriptTask(file_path="s.py")
    task.check(ground.allowed)
    (ground.workspace / "s.py").unlink()
    (ground.workspace / "s.py").symlink_to(folder / "planted.py")
    result = ground.run(task)
    assert result.status == "failed"
    assert "outside the allowed directories" in (result.reason or "")


def test_what_confines_cannot_be_reached(ground: Any) -> None:
    """The programs that confine are neither on disk for runs to write, nor open in them."""
    folder = Path(__file__).parents[2] / "tasks" / "sandbox"
    for path in folder.glob("*.py"):
        assert ground.sh(f"echo x >> {path}").status == "failed"
        assert path.read_text()[-2:] != "x\n"
    ground.sh("ls -l /proc/self/fd; exec ls -l /proc/self/fd")
    assert "memfd" not in ground.out
