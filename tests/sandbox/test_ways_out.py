"""No way out of the sandbox, and each way tried is one without it."""

from __future__ import annotations

import errno
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.ground import Ground, open_to_runs
from tests.sandbox.ways_out import PRELUDE, WAYS, Way

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the calls are written by x86_64 numbers")

IS_ROOT = os.geteuid() == 0
NOT_BUILT_IN = (errno.ENOSYS, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One ground for each network setting, and one without confinement."""
    made: dict[str, Any] = {}
    for name in ("off", "none", "tcp", "all"):
        made[name] = Ground(open_to_runs(tmp_path_factory.mktemp(name)))
        if name != "off":
            made[name].confine(network=name)
    yield made
    for ground in made.values():
        ground.close()


def try_way(way: Way, ground: Any, targets: Any, folder: Path) -> bool:
    """Return whether a way leads out, from a fresh workspace."""
    shutil.rmtree(ground.workspace)
    ground.workspace.mkdir()
    other = ground.data_dir / "tmp" / "other-run" / "secret"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text("secret")
    places = [str(folder / "secret"), str(folder), str(ground.workspace), str(other)]
    numbers = [str(targets.victim), str(os.getpid()), str(targets.port), targets.unix, targets.abstract]
    result = ground.python(PRELUDE + way.code + "\nprint('OUT')", *places, *numbers)
    assert result.exit_code in (0, 1, None), (result, ground.err)
    if result.exit_code is None:
        assert result.signal in ("SIGXFSZ", "SIGSEGV", "SIGSYS"), (result, ground.err)
    return bool(ground.out == "OUT\n")


def test_there_are_enough_ways() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    assert sum(IS_ROOT or not way.root for way in WAYS) >= 100


@pytest.mark.parametrize("way", [way for way in WAYS if IS_ROOT or not way.root], ids=lambda way: way.name)
def test_way(way: Way, grounds: dict[str, Any], targets: Any, outside: Callable[[], Path]) -> None:
    if not try_way(way, grounds["off"], targets, outside()):
        why = grounds["off"].err
        assert any(f"[Errno {number}]" in why for number in NOT_BUILT_IN), f"no way out anyhow: {why}"
        pytest.skip(f"this kernel has no such thing: {way.name}")
    confined = grounds[way.network]
    got_out = try_way(way, confined, targets, outside())
    same_user = confined.confinement.describe()["uid"] == os.geteuid()
    assert got_out == (way.hole and same_user), confined.err
