"""Keep the direction of imports: who may know whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From the lowest floor up; a module may import what stands on a lower floor, or beside it.
FLOORS = [
    ["errors", "forks", "locks", "slips", "version", "yaml_text", "host_names", "user_numbers", "turns"],
    ["wallclock", "dates", "wording", "cron_fields", "vixie", "directories", "task_ids"],
    ["moments"],
    ["triggers"],
    ["cron"],
    ["phrases", "cron_arguments", "likely_values"],
    ["weekday_names"],
    ["given_moments"],
    ["fields"],
    ["trigger_objects"],
    ["spellings"],
    ["alerts", "smtp_url"],
    ["models"],
    ["run", "stored_job"],
    ["job_defaults", "config_file"],
    ["config", "ids", "logs", "jumps", "zone_data", "namespaces", "daemon", "previews"],
    ["temporary", "start_counts", "clock_changes", "worker_use"],
    ["rehearsed"],
    ["policy", "events", "results", "job_mapping", "called_with", "tracing", "run_facts"],
    ["explain", "standing", "told", "confining", "rehearsal"],
    ["store", "lease", "alarm", "placing", "callables", "manual"],
    ["notify"],
    ["definitions"],
    ["attempts", "assigning", "endings", "portable", "crontab", "trying", "task_table", "calendar_year"],
    [
        *("fire_times", "clock", "executor", "recovery", "retention", "watch", "feed", "jobsfiles", "auth"),
        *("metrics", "importing", "timelines", "listing", "rehearsing"),
    ],
    ["dispatcher", "job_book"],
    ["holder", "firing", "readiness", "cycle"],
    ["condition", "questions"],
    ["task_scheduler"],
    ["http", "aio"],
    ["selftest"],
    ["cli"],
]
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}
DOORS = {
    "sqlalchemy": {"scheduler/store"},
    "schedule": {"scheduler/clock.py"},
    "flask": {"scheduler/http"},
    "gunicorn": {"scheduler/http"},
    "argon2": {"scheduler/auth/passwords.py"},
    "click": {"scheduler/cli"},
    "prometheus_client": {"scheduler/http/metrics.py"},
    "rich": {"scheduler/cli/show.py"},
    "tzlocal": {"scheduler/config.py"},
    "yaml": {"scheduler/yaml_text.py"},
    "watchdog": {"scheduler/jobsfiles/watching.py"},
    "apprise": {"scheduler/notify/apprise_url.py"},
    "opentelemetry": {"scheduler/tracing.py"},
    "requests": {"scheduler/cli/client.py", "scheduler/notify/web.py"},
}


@cache
def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def files(package: str) -> list[Path]:
    """Return the Python files of a package."""
    return sorted(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize("path", files("tasks"), ids=lambda path: str(path.relative_to(ROOT)))
def test_tasks_know_nothing_of_the_scheduler(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports(path)}
    assert not outside & {"scheduler", "server", "flask", "sqlalchemy", "schedule"}


@pytest.mark.parametrize("path", files("scheduler"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(ROOT / "scheduler").parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    used = {name.split(".")[1] for name in imports(path) if name.startswith("scheduler.")}
    too_high = {name for name in used - {own} if FLOOR_OF[name] > FLOOR_OF[own]}
    assert not too_high, f"{own} imports {too_high}, which stands above it"


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_has_its_door(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in files("scheduler") + files("tasks")
        if any(name.split(".")[0] == library for name in imports(path))
    }
    strangers = {
        user for user in users if not any(user == door or user.startswith(f"{door}/") for door in DOORS[library])
    }
    assert users
    assert not strangers


def test_scheduler_is_imported_without_flask() -> None:
    web = "('flask', 'gunicorn', 'click', 'argon2', 'opentelemetry')"
    code = f"import sys, scheduler, scheduler.aio; print([name for name in {web} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_importing_the_server_starts_nothing(tmp_path: Path) -> None:
    code = "import threading, server; print(threading.active_count())"
    env = {"SCHEDULER_DATA_DIR": str(tmp_path / "data"), "PATH": ""}
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=env)
    assert answer.stdout.strip() == "1"
    assert not (tmp_path / "data").exists()
