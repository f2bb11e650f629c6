"""Where an embedded scheduler keeps its state, whose it is, and when it goes."""

from __future__ import annotations

import importlib
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler import Job, SchedulerConfig, TaskScheduler
from scheduler.errors import InvalidRequest, Unavailable
from scheduler.namespaces import label_of, maker_of
from scheduler.placing import with_namespace, with_place
from scheduler.store import sqlite_url
from scheduler.temporary import TemporaryData
from tests.postgres import Cluster, name_of
from tests.server import ROOT, wait_until


def names(url: str, namespace: str, folder: Path) -> list[str]:
    """Add a job named like the namespace, and return the ids of all that are seen there."""
    config = SchedulerConfig(
        database_url=url, namespace=namespace, allowed_dirs=(folder / "work",), data_dir=folder / namespace
    )
    scheduler = TaskScheduler(config)
    scheduler.add_job(Job(id=f"of {namespace}", command="true", interval="every 1 hour"))
    found = list(scheduler.jobs)
    scheduler.close()
    return found


# --- directories -----------------------------------------------------------------------------------


def test_the_first_place_that_no_task_can_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("run", "tmp", "state"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    environ = {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_STATE_HOME": str(tmp_path / "state")}

    def place(*allowed: Path, **changes: str) -> Path:
        kept = TemporaryData(allowed, environ | changes)
        assert kept.path.stat().st_mode & 0o777 == 0o700
        parent = kept.path.parent
        kept.close()
        assert not kept.path.exists()
        return parent.relative_to(tmp_path)

    assert place() == Path("run")
    assert place(tmp_path / "run") == Path("tmp")
    assert place(XDG_RUNTIME_DIR="") == Path("tmp")
    assert place(tmp_path / "run", tmp_path / "tmp") == Path("state/task-scheduler/embedded")
    with pytest.raises(InvalidRequest, match="allowed_dirs= narrower"):
        place(tmp_path)


_LEAVES = """
import signal, sys
from scheduler.temporary import TemporaryData
kept = TemporaryData([], {"XDG_RUNTIME_DIR": sys.argv[1]})
print(kept.path, flush=True)
signal.pause()
"""


@pytest.mark.soak
def test_what_a_killed_program_left_is_removed_by_the_next(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    command = [sys.executable, "-c", _LEAVES, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        left = Path(program.stdout.readline().strip())
        TemporaryData([], environ).close()
        assert left.exists()  # its program lives
        program.kill()
    assert left.exists()
    TemporaryData([], environ).close()
    assert list(tmp_path.iterdir()) == []


def test_a_fork_leaves_its_parents_directory_alone(tmp_path: Path) -> None:
    kept = TemporaryData([], {"XDG_RUNTIME_DIR": str(tmp_path)})
    child = os.fork()
    if child == 0:
        kept.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert kept.path.exists()
    kept.close()


@pytest.mark.soak
def test_a_program_that_ends_without_a_word_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "from scheduler import Job, TaskScheduler\n"
        "s = TaskScheduler(); s.jobs['a'] = Job(id='a', command='true', interval='every 1 second'); s.start()\n"
        "print(s.config.data_dir)\n"
    )
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    (tmp_path.parent / "cwd").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path.parent / "cwd",
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(tmp_path))
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_the_directory_beside_a_database_is_out_of_reach_of_tasks(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    inside, outside = sqlite_url(tmp_path / "work"), sqlite_url(tmp_path)
    settings = {"allowed_dirs": (tmp_path / "work",), "namespace": "billing"}
    with pytest.raises(InvalidRequest, match="name a database elsewhere"):
        with_place(SchedulerConfig(database_url=inside, **settings))
    placed, kept = with_place(SchedulerConfig(database_url=outside, **settings))
    assert placed.data_dir == tmp_path / "scheduler.billing.db.d"
    assert kept is None
    with_place(SchedulerConfig(database_url=inside, sandbox="off", **settings))


@pytest.mark.parametrize("namespace", ["default", "billing"])
@pytest.mark.parametrize("query", ["", "?timeout=5"])
def test_a_database_within_reach_of_tasks_is_refused_wherever_the_directory_is(
    tmp_path: Path, namespace: str, query: str
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "work")
    file = tmp_path / "work" / ("jobs.db" if namespace == "default" else "jobs.billing.db")
    settings = {"allowed_dirs": (tmp_path / "work",), "data_dir": tmp_path / "state", "namespace": namespace}
    for folder in ("work", "link"):
        config = SchedulerConfig(database_url=f"sqlite:///{tmp_path}/{folder}/jobs.db{query}", **settings)
        with pytest.raises(InvalidRequest) as caught:
            with_place(config)
        (problem,) = caught.value.problems
        assert (problem.field, problem.got) == ("database_url", str(file))
        assert "data_dir" not in problem.message
        (told,) = config.warnings()
        assert f"the database {file} lies inside" in told
    with_place(config.model_copy(update={"sandbox": "off"}))


def test_an_operators_database_within_reach_of_tasks_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/work/jobs.db"
    environ = {"SCHEDULER_DATABASE_URL": url, "SCHEDULER_DATA_DIR": str(tmp_path / "state")}
    config = SchedulerConfig.from_environment(environ, allowed_dirs=str(tmp_path / "work"), namespace="billing")
    placed, _ = with_place(config)
    assert any(f"the database {tmp_path}/work/jobs.billing.db" in told for told in placed.warnings())
    assert not [told for told in placed.warnings() if "work/jobs.db " in told]


def test_a_directory_around_what_tasks_may_use_is_refused(tmp_path: Path) -> None:
    allowed = tmp_path / "jobs.billing.db.d" / "work"
    url = f"sqlite:///{tmp_path}/jobs.db"
    with pytest.raises(InvalidRequest, match="give data_dir= a directory outside"):
        with_place(SchedulerConfig(database_url=url, namespace="billing", allowed_dirs=(allowed,)))


def test_namespaces_in_one_data_directory_share_nothing(tmp_path: Path) -> None:
    def place(namespace: str) -> Path | None:
        return with_place(SchedulerConfig(data_dir=tmp_path, namespace=namespace))[0].data_dir

    assert [place("default"), place("billing")] == [tmp_path, tmp_path / "billing"]


def test_memory_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="sqlite:///PATH"):
        TaskScheduler(SchedulerConfig(database_url="sqlite:///:memory:", data_dir=tmp_path, namespace="x"))


# --- namespaces ------------------------------------------------------------------------------------


def test_the_namespace_is_the_module_that_makes_the_scheduler(tmp_path: Path) -> None:
    class Kind:
        def __init__(self) -> None:
            self.maker = maker_of(self)

    class Special(Kind):
        def __init__(self) -> None:
            super().__init__()

    assert Kind().maker == Special().maker == (__name__, __file__)
    program = tmp_path / "program.py"
    program.write_text("from scheduler.namespaces import maker_of\nfound = maker_of(None)\n")
    for name in ("__main__", "__mp_main__"):
        assert runpy.run_path(str(program), run_name=name)["found"] == (str(program), str(program))
    with pytest.raises(InvalidRequest, match="namespace="):
        exec("maker_of(None)", {"__name__": "__main__", "maker_of": maker_of})


PROGRAM = """
import multiprocessing, sys
from scheduler import SchedulerConfig, TaskScheduler

def tidy():
    return "tidy"

def give():
    scheduler = TaskScheduler(SchedulerConfig(database_url=sys.argv[1], sandbox="off"))
    print(scheduler.add_callable(tidy, schedule_type="manual").change, *scheduler.jobs, flush=True)
    run = scheduler.run_now("__main__.tidy")
    print([run.result for run in scheduler.run_once()], flush=True)
    scheduler.close()

if __name__ == "__main__":
    give()
    process = multiprocessing.get_context(sys.argv[2]).Process(target=give)
    process.start()
    process.join()
    give()
"""


@pytest.mark.parametrize("way", ["spawn", "forkserver"])
def test_all_processes_of_a_program_have_its_namespace_and_its_functions(tmp_path: Path, way: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), sqlite_url(tmp_path), way],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    changes = ["created", "unchanged", "unchanged"]
    assert done.stdout.splitlines() == [line for change in changes for line in (f"{change} __main__.tidy", "['tidy']")]
    assert (done.returncode, done.stderr) == (0, "")


APPLICATION = """
from scheduler import SchedulerConfig, TaskScheduler
scheduler = TaskScheduler(SchedulerConfig(database_url={url!r}, sandbox="off", **{more}))
warnings = scheduler.warnings()
scheduler.close()
"""


def test_programs_whose_modules_have_one_name_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(folder: str, **more: str) -> list[str]:
        """Return what a module `main` in a folder is warned of, as one that gives itself no namespace may be."""
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        (path / "application_main.py").write_text(APPLICATION.format(url=sqlite_url(tmp_path), more=more))
        monkeypatch.syspath_prepend(str(path))
        monkeypatch.delitem(sys.modules, "application_main", raising=False)
        return [line for line in importlib.import_module("application_main").warnings if "namespace" in line]

    assert told("billing") == told("billing") == []
    [warning] = told("reports")
    assert "'application_main' was last used by a module of that name in another file" in warning
    assert warning in caplog.text
    assert told("reports") == told("billing", namespace="billing") == []
    assert told("billing") == [warning]


def test_only_what_others_may_use_is_divided(tmp_path: Path) -> None:
    assert with_namespace(SchedulerConfig(), None).namespace == "default"
    assert with_namespace(SchedulerConfig(data_dir=tmp_path), None).namespace == "default"
    assert with_namespace(SchedulerConfig(database_url="sqlite:////x.db"), None).namespace == __name__
    assert with_namespace(SchedulerConfig(database_url="sqlite:////x.db", namespace="a"), None).namespace == "a"
    assert SchedulerConfig.from_environment({"HOME": "/nowhere"}).namespace == "default"


@pytest.mark.parametrize(
    "namespace",
    ["default", "billing", "app.main", "app_main", "/srv/app/main.py", "/srv/other/main.py", "Ä", "x" * 200],
)
def test_labels_are_words_of_limited_length(namespace: str) -> None:
    label = label_of(namespace)
    assert label.isascii()
    assert label.replace("_", "a").isalnum()
    assert len(f"scheduler_{label}") <= 63
    assert label == label_of(namespace)


def test_labels_differ() -> None:
    texts = ["app.main", "app_main", "app-main", "/srv/app/main.py", "/srv/other/main.py", "main", "Main", "x" * 41]
    assert len({label_of(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
def test_programs_on_one_database_do_not_see_each_other(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    for namespace in ("default", "billing", "app.main"):
        assert names(database_url, namespace, tmp_path) == [f"of {namespace}"]
    assert names(database_url, "billing", tmp_path) == ["of billing"]


@pytest.mark.soak
def test_each_namespace_of_a_server_has_its_own_lease_and_channel(postgres: Cluster, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    url = postgres.new_database()

    def make(namespace: str) -> TaskScheduler:
        return TaskScheduler(
            SchedulerConfig(
                database_url=url, namespace=namespace, allowed_dirs=(tmp_path / "work",), sandbox="off",
                data_dir=tmp_path / namespace,
            )
        )  # fmt: skip

    one, other = make("one"), make("other")
    for scheduler in (one, other):
        scheduler.jobs["a"] = Job(id="a", command="true", interval="in 1 second")
        scheduler.start()
    for scheduler in (one, other):
        wait_until(lambda scheduler=scheduler: scheduler.get_job("a").status.value == "completed")
        assert scheduler._holder.is_ready
    for scheduler in (one, other):
        scheduler.close()
    schemas = postgres.run(
        name_of(url), "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name = 'alembic_version'"
    )
    assert sorted(schemas) == [("scheduler_one",), ("scheduler_other",)]
