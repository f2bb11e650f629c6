"""`import-crontab`, against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler import crontab
from tests.cli.conftest import Shell

TABLE = "MAILTO=me\n17 * * * * echo from-cron\n@reboot echo never\n0 4 * * sun echo sunday\n"


@pytest.fixture
def table(here: Path) -> str:
    """Return the name of a crontab."""
    (here / "table").write_text(TABLE)
    return "table"


def test_lines_remarks_and_proof(shell: Shell, table: str) -> None:
    lines = shell.ok(f"import-crontab {table} --dry-run").splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["LINE", "table:2", "table:4"]
    assert "table:1: differs: no mail is sent: what a run writes is kept with the run" in lines
    assert any(line.startswith("table:3: left out: '@reboot'") for line in lines)
    assert "2,000 fire times compared under cron's rules and ours: 2 of 2 lines agree" in lines
    assert lines[-1] == "2 tasks would be imported: 2 created, 0 replaced, 0 unchanged"


def test_the_same_table_again_is_nothing_new(shell: Shell, table: str) -> None:
    first = shell.json(f"import-crontab {table}")
    assert (first["created"] + first["unchanged"], first["proof"]) == (2, {"compared": 2000, "different": []})
    again = shell.json(f"import-crontab {table}")
    assert (again["status"], again["unchanged"]) == ("info", 2)
    Path(table).write_text(TABLE.replace("0 4", "0 5"))
    assert shell.say(f"import-crontab {table}").code == 6
    assert shell.ok(f"import-crontab {table} --replace").endswith("0 created, 1 replaced, 1 unchanged\n")


def test_standard_input_of_the_system_kind(shell: Shell) -> None:
    text = "5 5 * * * www-data echo system\n"
    out = shell.ok("import-crontab - --system --timezone Asia/Tokyo", stdin=text)
    assert "-:1: differs: runs as the user that tasks have, not as 'www-data'" in out
    task = shell.json("list --search system")["tasks"][0]["details"]
    assert (task["command"], task["timezone"]) == ("echo system", "Asia/Tokyo")
    assert shell.say("import-crontab - --timezone Asia/Tokio", stdin=text).code == 2


def test_nothing_is_imported_where_times_differ(shell: Shell, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = crontab.read_rule
    monkeypatch.setattr(crontab, "read_rule", lambda fields: read(fields.replace("17", "18")))
    Path(table).write_text("17 * * * * echo differing\n")
    said = shell.say(f"import-crontab {table}")
    assert said.code == 1
    assert "table:1: cron fires at " in said.out
    assert shell.json("list --search differing")["count"] == 0
    assert shell.json(f"import-crontab {table}")["code"] == "proof_failed"
    assert shell.say(f"import-crontab {table} --no-proof --dry-run").code == 0


def test_a_file_that_is_not_there(shell: Shell) -> None:
    said = shell.say("import-crontab /nonexistent/crontab")
    assert (said.code, "No such file" in said.err) == (1, True)
    assert shell.json("import-crontab /nonexistent/crontab")["code"] == "unreadable_file"
