"""Make a demonstration: forty tasks with a month of history, the same each time, and serve it.

python -m docs.demo            into a fresh directory, on port 10800 (SCHEDULER_PORT wins)
python -m docs.demo FOLDER     into that one, which must be empty
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from docs.demo_tasks import TASKS, DemoTask
from scheduler.config import SchedulerConfig
from scheduler.ids import first_run_id
from scheduler.models import Job, Priority, read_job
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs
from scheduler.stored_job import StoredJob
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox.output import OutputFile, Stream

DAYS = 30
MOST_RUNS = 900
"""Of one task: below what retention keeps."""
WITH_OUTPUT = 40
"""Of how many of a task's newest runs the output is kept."""
SEED = 20_261_127
_BATCH = 2000


class Seeding:
    """Write tasks and their history into a data directory where no scheduler serves yet."""

    def __init__(self, data_dir: Path, workspace: Path, now: datetime, days: int = DAYS) -> None:
        workspace.mkdir(parents=True, exist_ok=True)
        self._now, self._began = now, now - timedelta(days=days)
        config = SchedulerConfig(data_dir=data_dir, allowed_dirs=(workspace,), timezone="UTC", max_tasks=10_000)
        # Made a month ago, by its own clock; nothing is planned, since it is never opened.
        self._scheduler = TaskScheduler(config, now=lambda: self._began)
        self._logs = data_dir / "runs"
        self._chance = random.Random(SEED)

    def write(self, tasks: Sequence[DemoTask] = TASKS) -> int:
        """Write all of them; return the number of runs."""
        found: list[Run] = []
        try:
            for task in tasks:
                found += self._history(task, self._add(task))
            found.sort(key=lambda run: run.created_at)
            for start in range(0, len(found), _BATCH):
                some = found[start : start + _BATCH]
                self._scheduler._store.write(lambda connection, some=some: runs.add_runs(connection, some))
        finally:
            self._scheduler.close()
        return len(found)

    def _add(self, task: DemoTask) -> StoredJob:
        fields = {name: value for name, value in task.fields.items() if name not in ("paused", "keep")}
        given: dict[str, Any] = {"task_id": task.task_id, "type": "command", "command": task.works, **fields}
        job: Job = read_job({**given, "interval": task.interval, "tags": list(task.tags)})
        stored = self._scheduler.add_job(job, created_by="demo").info.stored
        if task.fields.get("paused"):
            self._scheduler.pause_job(task.task_id)
        return stored

    def _history(self, task: DemoTask, stored: StoredJob) -> list[Run]:
        moments = list(self._fire_times(stored))[-task.fields.get("keep", MOST_RUNS) :]
        found: list[Run] = []
        for place, moment in enumerate(moments, 1 - len(moments)):
            for run in self._attempts(task, stored, moment):
                found.append(run)
                if place > -WITH_OUTPUT and run.started_at is not None:
                    self._print(task, run)
        return found

    def _fire_times(self, stored: StoredJob) -> Iterator[datetime]:
        trigger, moment = stored.read_schedule().trigger, self._began
        while (following := trigger.utc_after(moment)) is not None and following < self._now:
            yield following
            moment = following

    def _attempts(self, task: DemoTask, stored: StoredJob, moment: datetime) -> Iterator[Run]:
        """Yield what came of a fire time: mostly one run, another one after a failure where the task asks for it."""
        chance, attempt, due = self._chance, 1, moment
        while True:
            run = self._run(task, stored, moment, due, attempt)
            if (run.finished_at or run.created_at) >= self._now:
                return
            yield run
            again = attempt <= task.fields.get("max_retries", 0) and run.status is RunStatus.FAILED
            if not again or run.finished_at is None:
                return
            attempt, due = attempt + 1, run.finished_at + timedelta(seconds=10 + chance.random())

    def _run(self, task: DemoTask, stored: StoredJob, moment: datetime, due: datetime, attempt: int) -> Run:
        chance = self._chance
        late = min(30.0, chance.lognormvariate(-6.2, 1.1) * (400 if chance.random() < 0.01 else 1))
        started = due + timedelta(seconds=late)
        took = task.seconds * chance.lognormvariate(0, 0.22) * (chance.uniform(2, 4) if chance.random() < 0.015 else 1)
        status, details = self._outcome(task)
        limit = float(task.fields.get("timeout_seconds", 300))
        if took > limit:
            took, status, details = limit, RunStatus.TIMEOUT, {"signal": "SIGTERM"}
        never = status in (RunStatus.SKIPPED, RunStatus.MISSED)
        return Run(
            run_id=first_run_id(due)[:10] + "".join(chance.choices("0123456789abcdefghjkmnpqrstvwxyz", k=16)),
            job_key=stored.key,
            task_id=stored.task_id,
            scheduled_for=moment,
            attempt=attempt,
            trigger=Origin.SCHEDULE if attempt == 1 else Origin.RETRY,
            status=status,
            priority=Priority(stored.definition["priority"]),
            created_at=due,
            due_at=due,
            started_at=None if never else started,
            finished_at=started if never else started + timedelta(seconds=took),
            details=details,
        )

    def _outcome(self, task: DemoTask) -> tuple[RunStatus, dict[str, Any]]:
        chance = self._chance.random() * 100
        if chance < task.failing:
            return RunStatus.FAILED, {"exit_code": 1}
        if chance > 99.9:
            return RunStatus.INTERRUPTED, {"reason": "the service ended"}
        if chance > 99.75:
            return RunStatus.MISSED, {"reason": "noticed 312 s late, past its grace time of 60 s"}
        if chance > 99.6:
            return RunStatus.SKIPPED, {"reason": "max_instances reached"}
        if chance > 99.5:
            return RunStatus.CANCELLED, {"signal": "SIGTERM", "reason": "cancelled"}
        return RunStatus.COMPLETED, {"exit_code": 0}

    def _print(self, task: DemoTask, run: Run) -> None:
        streams: list[tuple[Stream, str]] = [("stdout", task.output)]
        if run.status is RunStatus.FAILED:
            streams = [("stdout", task.output[: len(task.output) // 2]), ("stderr", task.error)]
        for stream, text in streams:
            if text:
                file = OutputFile(self._logs, run.run_id, stream)
                file.write(text.encode())
                file.close()


def main() -> None:
    """Write the demonstration, then become the server of it."""
    folder = Path(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp(prefix="scheduler-demo-")).resolve()
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty: give a directory that is, or none")
    number = Seeding(folder / "data", folder / "workspace", datetime.now(UTC)).write()
    port = os.environ.get("SCHEDULER_PORT", "10800")
    print(f"{len(TASKS)} tasks with {number} runs in {folder}; open http://localhost:{port}/", flush=True)
    settings = {
        "SCHEDULER_DATA_DIR": str(folder / "data"),
        "SCHEDULER_ALLOWED_DIRS": str(folder / "workspace"),
        "SCHEDULER_TIMEZONE": "UTC",
        "SCHEDULER_AUTOSTART": "1",
        "SCHEDULER_PORT": port,
    }
    os.execve(sys.executable, [sys.executable, "-m", "scheduler", "serve"], {**os.environ, **settings})


if __name__ == "__main__":
    main()
