"""What docs/jobs-file.md shows is true: its entries are read, and its wrong ones are told as it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.examples import blocks
from scheduler.config import SchedulerConfig
from scheduler.jobsfiles import Reading
from tests.server import ROOT

PAGE = (ROOT / "docs/jobs-file.md").read_text()


def test_entries_are_read_and_wrong_ones_told(
    read: Callable[..., Reading], write: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "workspace/monitoring.py").touch()
    kinds = []
    for block, following in zip(blocks(PAGE), [*blocks(PAGE)[1:], None], strict=True):
        if not block.kind.startswith("yaml"):
            continue
        kinds.append(block.kind)
        path = write("jobs.yaml", block.text)
        entries, problems = read(path)
        if block.kind == "yaml":
            assert entries, block.line
            assert problems == (), block.line
        else:
            assert following is not None
            assert following.kind == "text problems"
            told = "".join(f"{problem}\n".replace(str(path), path.name) for problem in problems)
            assert told.replace(str(tmp_path / "workspace"), "/srv/workspace") == following.text
    assert kinds.count("yaml") >= 4
    assert "yaml wrong" in kinds


def test_settings_that_the_page_names_are_settings() -> None:
    named = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `SCHEDULER_")}
    assert named <= {f"SCHEDULER_{name.upper()}" for name in SchedulerConfig.model_fields}
    assert len(named) == 5
