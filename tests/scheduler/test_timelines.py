"""What lies on a line of time, on either database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from scheduler.config import SchedulerConfig
from scheduler.models import read_job
from scheduler.run import RunStatus
from scheduler.task_scheduler import TaskScheduler
from scheduler.timelines import Span


def test_runs_plans_and_trouble(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    config = SchedulerConfig(
        data_dir=tmp_path / "data", allowed_dirs=(tmp_path / "workspace",), database_url=database_url, timezone="UTC"
    )
    with TaskScheduler(config) as scheduler:
        for name, command in (("bad", "exit 1"), ("good", "true")):
            fields = {"task_id": name, "type": "command", "command": command, "interval": "every 1 hour"}
            scheduler.add_job(read_job(fields))
        asked = [scheduler.run_now(name).run_id for name in ("bad", "good")]
        assert scheduler.watch.wait(asked, 30)
        day, now = timedelta(days=1), scheduler.now()
        span = Span(now - day, now + day, 600)
        bad, good = scheduler.timeline.draw(None, span)
        assert [(bar.status, bar.run_id) for bar in bad.bars] == [(RunStatus.FAILED, asked[0])]
        assert [bar.status for bar in good.bars] == [RunStatus.COMPLETED]
        assert len(good.planned) in (23, 24)
        assert [(lane.task_id, lane.runs, lane.troubled) for lane, _ in scheduler.timeline.lanes(span)] == [
            ("bad", 1, 1),
            ("good", 1, 0),
        ]
        [trouble], count = scheduler.timeline.trouble(now - day, 5)
        assert (trouble.run.run_id, trouble.count, count) == (asked[0], 1, 1)
        assert {item.job.task_id for item in scheduler.timeline.coming(1)} == {"bad"}
        assert scheduler.timeline.counts_by_day([now - day]) == [{"completed": 1, "failed": 1}]
        scheduler.stop()
        assert scheduler.timeline.coming(5) == scheduler.timeline.draw(["bad"], span)[0].planned == []
