"""Programs that type checkers must take, and what they must still refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
from scheduler import Job, JobResult, TaskScheduler, aio


class Mine(Job):
    mail: str = "x@example.org"


class MineByHand(Job):
    def __init__(self, mail: str, **fields: object) -> None:
        super().__init__(**fields)
        self.mail = mail


class Custom(TaskScheduler):
    extra: int = 1

    def execute_job(self, job: Job) -> JobResult:
        if isinstance(job, Mine):
            print(job.mail.upper())
        return super().execute_job(job)


class Async(aio.TaskScheduler):
    extra: int = 1


async def main() -> int:
    async with Async() as scheduler:
        return scheduler.extra


with Custom() as custom:
    mine = Mine(id="a", command="true", schedule="hourly", mail="y@example.org")
    custom.jobs[mine.id] = mine
    custom.jobs["b"] = MineByHand("z@example.org", id="b", command="true", schedule="hourly")
    print(custom.extra + 1)

Custom().extra = "one"
"""


def test_programs_pass_a_strict_checker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = pytest.importorskip("mypy.api")
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    (tmp_path / "program.py").write_text(PROGRAM)
    told, errors, _ = api.run(["--strict", "--no-error-summary", str(tmp_path / "program.py")])
    assert errors == ""
    assert [line.partition("error: ")[2] for line in told.splitlines()] == [
        'Incompatible types in assignment (expression has type "str", variable has type "int")  [assignment]'
    ]
