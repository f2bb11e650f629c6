"""Carry out one round: start servers, let tasks run, do to them what the plan says, let them settle, and match."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path

from scheduler.models import utc_now
from scheduler.moments import iso
from scheduler.selftest import chores, matching
from scheduler.selftest.chaos import Chaos
from scheduler.selftest.client import Client
from scheduler.selftest.facts import Facts
from scheduler.selftest.plan import Plan, TaskPlan, with_anchor
from scheduler.selftest.planned import QUIET
from scheduler.selftest.record import Finding, Record
from scheduler.selftest.servers import Server, ServerFault
from scheduler.selftest.stores import RoundStore, StoreMaker
from scheduler.selftest.watching import ProcessWatch, StallWatch
from scheduler.store import Connection, Database, jobs, runs, state
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.stored_job import StoredJob
from tasks.sandbox import processes

SETTLE_SECONDS = 30.0
ORPHAN_WAIT_SECONDS = 11.0
_EVERYTHING = 1_000_000
_MORE_KEYS = 1000


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What came of a round."""

    acknowledged: int
    rows: int
    findings: Sequence[Finding]
    lateness_ms: Sequence[float]
    seconds: float


class Round:
    """One round in a folder of its own."""

    def __init__(self, plan: Plan, folder: Path, make_store: StoreMaker) -> None:
        self._plan, self._folder = plan, folder
        self._mark = f"{plan.seed}-{plan.workers}-{time.time_ns()}"
        (folder / "data").mkdir(parents=True)
        self._store: RoundStore = make_store(folder / "data", f"selftest_{time.time_ns()}")
        settings = {**plan.settings, "SCHEDULER_DATABASE_URL": self._store.url}
        self._server = Server(folder, plan.workers, settings)
        self._client = Client(self._server.port)
        self._chaos = Chaos(self._server, self._store, self._client)
        self._processes, self._stalls = ProcessWatch(self._mark), StallWatch()
        self._record = Record()
        chores.prepare(self._server.workspace)

    def run(self) -> RoundResult:
        """Run it to its end; nothing that it started is left afterwards."""
        began = time.monotonic()
        self._stalls.start()
        self._processes.start()
        try:
            try:
                self._guarded(self._live)
            finally:
                self._end()
            return self._match(time.monotonic() - began)
        finally:
            self._store.close()

    def _live(self) -> None:
        """Do everything that the plan holds, then let the server settle and stop it."""
        self._chaos.boot()
        began = time.monotonic()
        owners = [self._thread(self._own, task, began) for task in self._plan.tasks]
        lanes = [self._thread(self._chaos.follow, lane, began) for lane in self._plan.lanes]
        time.sleep(self._plan.start_at)
        self._client.do("start")
        for thread in lanes + owners:
            thread.join()
        time.sleep(max(0.0, began + self._plan.length - time.monotonic()))
        if not self._record.findings:
            self._settle()

    def _own(self, task: TaskPlan, began: float) -> None:
        """Ask for all that one task is meant to go through."""
        for step in task.steps:
            time.sleep(max(0.0, began + step.at - time.monotonic()))
            fields = dict(step.fields)
            if step.what == "create":
                fields = {**task.fields, **fields, "env": {chores.MARK: self._mark}}
            self._client.do(step.what, task.task_id, **with_anchor(fields, iso(utc_now(), UTC)))

    def _guarded(self, function: Callable[..., None], *args: object) -> None:
        """Do something; where it fails, that is a finding, be it the server's fault or the test's own."""
        try:
            function(*args)
        except Exception as error:
            whose = "server" if isinstance(error, ServerFault) else f"the test itself: {type(error).__name__}"
            self._record.findings.append(Finding("unaccounted", f"{whose}: {error}", [self._log_end()], utc_now()))
            self._client.ended.set()
            self._chaos.ended.set()

    def _thread(self, function: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, args=(function, *args), daemon=True)
        thread.start()
        return thread

    def _settle(self) -> None:
        """Leave the server in peace until it has caught up, stop the scheduler, wait for its runs, end the server."""
        time.sleep(QUIET.total_seconds() + 1)
        self._client.do("stop")
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._is_busy() and time.monotonic() < deadline:
            time.sleep(0.1)
        self._server.check()
        self._server.stop()

    def _is_busy(self) -> bool:
        status = self._server.status()
        return status is None or bool(status["running"] or status["queue"]["waiting"])

    def _end(self) -> None:
        """End the server if it still lives, and wait as long for its runs' processes as they may take to die."""
        self._client.ended.set()
        self._chaos.ended.set()
        self._server.close()
        deadline = time.monotonic() + ORPHAN_WAIT_SECONDS
        while self._processes.look() and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in self._processes.look():
            processes.send(process, signal.SIGKILL)

    def _match(self, seconds: float) -> RoundResult:
        record = self._record
        record.requests = self._client.requests
        record.disturbances = self._chaos.disturbances + self._stalls.close()
        record.sightings = self._processes.close()
        record.lines = chores.read_lines(self._server.workspace)
        _read_database(self._store.url, self._folder / "data", record)
        facts = Facts(record, utc_now())
        findings = matching.find_faults(facts)
        (self._folder / "record.json").write_text(json.dumps(_plain(record), default=str, indent=1))
        crowded = int(self._plan.settings["SCHEDULER_MAX_WORKERS"]) < len(self._plan.tasks) / 2
        lateness = [] if crowded else matching.latenesses(facts)
        done = sum(request.outcome == "done" for request in record.requests)
        return RoundResult(done, len(record.rows), findings, lateness, seconds)

    def _log_end(self) -> str:
        return "the end of its log:\n" + "\n".join(self._server.log.read_text().splitlines()[-15:])


def _read_database(url: str, data_dir: Path, record: Record) -> None:
    """Read the whole database, as the server left it."""
    database = Database(url, data_dir)
    try:
        record.rows = database.read(lambda c: runs.list_runs(c, RunFilter(), None, _EVERYTHING))
        record.jobs, record.present = database.read(_read_jobs)
        record.running = bool(database.read(state.is_running))
    finally:
        database.close()


def _read_jobs(connection: Connection) -> tuple[list[StoredJob], set[int]]:
    """Return all jobs, removed ones too, and the keys of those that are not."""
    present = {job.key for job in jobs.list_jobs(connection, JobFilter(), 0, _EVERYTHING)}
    of_rows = {run.job_key for run in runs.list_runs(connection, RunFilter(), None, _EVERYTHING)}
    # Removed jobs without a row are not listed: they are found between the others, or shortly behind.
    known = jobs.zones(connection, range(1, max(present | of_rows, default=0) + _MORE_KEYS))
    return [jobs.get_job(connection, key) for key in known], present


def _plain(record: Record) -> dict[str, object]:
    return {
        "requests": [asdict(request) for request in record.requests],
        "disturbances": [asdict(disturbance) for disturbance in record.disturbances],
        "rows": [asdict(row) for row in record.rows],
        "lines": [asdict(line) for line in record.lines],
        "sightings": [asdict(sighting) for sighting in record.sightings],
    }
