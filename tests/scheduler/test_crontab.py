"""Crontabs as they are found: what becomes of each line, and what is told of the rest."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler import crontab
from scheduler.crontab import CronLine, entries_of, prove, read_crontab

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

# Debian 12 as it comes: cron, e2fsprogs, sysstat, anacron.
DEBIAN = """\
# /etc/crontab: system-wide crontab
# Unlike any other crontab you don't have to run the `crontab'
# command to install the new version when you edit this file.

SHELL=/bin/sh
# You can also override PATH, but by default, newer versions inherit it from the environment
#PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin

# Example of job definition:
# .---------------- minute (0 - 59)
# |  .------------- hour (0 - 23)
# *  *  *  *  * user-name command to be executed
17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly
25 6\t* * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }
47 6\t* * 7\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.weekly; }
52 6\t1 * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.monthly; }
#
"""
E2SCRUB = """\
30 3 * * 0 root test -e /run/systemd/system || SERVICE_MODE=1 /usr/lib/x86_64-linux-gnu/e2fsprogs/e2scrub_all_cron
10 3 * * * root test -e /run/systemd/system || SERVICE_MODE=1 /sbin/e2scrub_all -A -r
"""
SYSSTAT = """\
PATH=/usr/lib/sysstat:/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin

# Activity reports every 10 minutes everyday
5-55/10 * * * * root command -v debian-sa1 > /dev/null && debian-sa1 1 1

# Additional run at 23:59 to rotate the statistics file
59 23 * * * root command -v debian-sa1 > /dev/null && debian-sa1 60 2
"""


def only(text: str, system: bool = False) -> CronLine:
    """Return the only line of a crontab that becomes a task."""
    (line,) = read_crontab(text, system).lines
    return line


def remarks(text: str, system: bool = False) -> list[tuple[int, bool, str]]:
    """Return what is told about a crontab."""
    return [(each.line, each.lost, each.reason) for each in read_crontab(text, system).remarks]


@pytest.mark.parametrize(
    ("text", "schedules"),
    [
        (DEBIAN, ["17 * * * *", "25 6 * * *", "47 6 * * 7", "52 6 1 * *"]),
        (E2SCRUB, ["30 3 * * 0", "10 3 * * *"]),
        (SYSSTAT, ["5-55/10 * * * *", "59 23 * * *"]),
    ],
)
def test_debian(text: str, schedules: list[str]) -> None:
    found = read_crontab(text, system=True)
    assert [line.schedule for line in found.lines] == schedules
    assert all(line.user == "root" for line in found.lines)
    assert {each.reason for each in found.remarks} == {"runs as the user that tasks have, not as 'root'"}
    for line in found.lines:
        proof = prove(line, BERLIN, NOW)
        assert (proof.compared, proof.different) == (1000, None)


def test_the_commands_of_debian() -> None:
    entries = entries_of(read_crontab(DEBIAN, system=True).lines)
    assert entries[1]["command"] == "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }"
    (first, second) = entries_of(read_crontab(SYSSTAT, system=True).lines)
    assert first["command"] == "command -v debian-sa1 > /dev/null && debian-sa1 1 1"
    assert second["env"] == {"PATH": "/usr/lib/sysstat:/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.mark.parametrize(
    "path", [path for path in (Path("/etc/crontab"), *Path("/etc/cron.d").glob("*")) if path.is_file()]
)
def test_the_files_of_this_machine(path: Path) -> None:
    text = path.read_text()
    found = read_crontab(text, system=True)
    lost = {each.line for each in found.remarks if each.lost}
    jobs = [number for number, line in enumerate(text.splitlines(), 1) if line.strip()[:1] in tuple("0123456789*@")]
    assert sorted({line.line for line in found.lines} | lost) == jobs
    assert all(prove(line, BERLIN, NOW, 100).different is None for line in found.lines)


# Each line: how it is read, or (with None) that it is left out.
@pytest.mark.parametrize(
    ("text", "schedule", "command"),
    [
        ("* * * * * true", "* * * * *", "true"),
        ("  \t*\t*  * *\t* \t true  ", "* * * * *", "true"),
        ("0 0 * * sun,Mon FOO=bar cmd", "0 0 * * sun,Mon", "FOO=bar cmd"),
        ("0 0 1 JAN-mar * a # no comment", "0 0 1 JAN-mar *", "a # no comment"),
        ("@daily a", "0 0 * * *", "a"),
        ("@Weekly\ta", "0 0 * * 0", "a"),
        ("@annually a", "0 0 1 1 *", "a"),
        ("-*/5 * * * * quiet", "*/5 * * * *", "quiet"),
        ("0 0 * * 0-7 a", "0 0 * * 0-7", "a"),
        ("1-10/3,*/20 * * * * a\r", "1-10/3,*/20 * * * *", "a"),
        ("@reboot a", None, None),
        ("@dayly a", None, None),
        ("@daily", None, None),
        ("* * * * *", None, None),
        ("* * * * true", None, None),
        ("60 * * * * a", None, None),
        ("5/15 * * * * a", None, None),
        ("0 0 31 2 * a", None, None),
        ("0 0 * * sat-sun a", None, None),
        ("0 0 1-31~3 * * a", None, None),
        ("30~10 * * * * a", None, None),
        ("garbage", None, None),
        ("* * * * * %only input", None, None),
    ],
)
def test_lines(text: str, schedule: str | None, command: str | None) -> None:
    found = read_crontab(text, system=False)
    assert [(line.schedule, line.command) for line in found.lines] == (
        [] if schedule is None else [(schedule, command)]
    )
    assert [each.lost for each in found.remarks] == ([True] if schedule is None else [])


@pytest.mark.parametrize(
    ("text", "command", "stdin"),
    [
        ("a%b", "a", "b"),
        ("a%b%c d", "a", "b\nc d"),
        (r"date +\%Y", "date +%Y", None),
        (r"a%100\%%", "a", "100%\n"),
        ("a%", "a", ""),
        (r"a\\%b", r"a\\", "b"),
        (r"a\\\%b", r"a\\%b", None),
        (r"a%b\\%c", "a", r"b\%c"),
        ("a\\", "a\\", None),
    ],
)
def test_percent_signs(text: str, command: str, stdin: str | None) -> None:
    line = only(f"* * * * * {text}")
    assert (line.command, line.stdin) == (command, stdin)


def run(line: CronLine) -> str:
    """Run what becomes of a line as a task of type `command` is run."""
    (entry,) = entries_of([line])
    argv = ["/bin/sh", "-c", entry["command"], "sh", *entry.get("args", [])]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=entry.get("env", {})).stdout


def test_what_a_command_reads_reaches_it() -> None:
    assert run(only("* * * * * cat; echo end%one%two \\% $HOME 'x'")) == "one\ntwo % $HOME 'x'\nend\n"


@pytest.mark.parametrize(
    ("text", "read"),
    [("%", ""), ("%%", "\n"), ("%a", "a\n"), ("%a%", "a\n"), ("%a%%", "a\n\n"), ("%a%b", "a\nb\n"), (r"%\%", "%\n")],
)
def test_what_a_command_reads_ends_as_cron_ends_it(text: str, read: str) -> None:
    assert run(only(f"* * * * * cat{text}")) == read
    assert run(only(f"SHELL=/bin/bash\n* * * * * cat{text}")) == read


def test_another_shell_gets_the_command() -> None:
    bash = "SHELL=/bin/bash\n* * * * * "
    assert run(only(f'{bash}[[ -n $BASH_VERSION ]] && echo "it\'s bash" $0')) == "it's bash /bin/bash\n"
    assert run(only(f'{bash}read a; echo "<$a>"%in')) == "<in>\n"
    assert run(only("SHELL=/bin/sh\n* * * * * echo plain")) == "plain\n"


def test_assignments_hold_for_the_lines_below() -> None:
    text = "* * * * * a\nA = \"x y\"\n* * * * * b\n'B'='z'\nA=\n* * * * * c\n"
    assert [dict(line.env) for line in read_crontab(text, False).lines] == [{}, {"A": "x y"}, {"A": "", "B": "z"}]


def test_a_zone_is_the_tasks_zone() -> None:
    line = only("CRON_TZ=america/new_york\n0 2 * * * a")
    assert line.zone == "America/New_York"
    assert entries_of([line])[0]["timezone"] == "America/New_York"
    assert prove(line, BERLIN, NOW).different is None
    assert only("TZ=Asia/Tokyo\n0 2 * * * a").zone is None, "to cron it is the command's alone"


def test_what_is_not_carried_over_is_told() -> None:
    text = 'MAILTO=root\nMAILTO=""\nLOGNAME=x\nCRON_TZ=Mars\nLD_PRELOAD=x\nHOME=/x\n@reboot a\n5~9 * * * * a\n'
    told = remarks(text)
    assert [line for line, _, _ in told] == [1, 3, 4, 5, 6, 7, 8]
    assert [line for line, lost, _ in told if lost] == [7]
    assert "no mail" in told[0][2]
    assert "LD_PRELOAD" in told[3][2]
    assert "drawn anew" in told[6][2]


def test_a_random_number_is_the_same_each_time_and_in_range() -> None:
    drawn = {int(only(f"5~9 * * * * a{number}").schedule.split()[0]) for number in range(100)}
    assert drawn == {5, 6, 7, 8, 9}
    assert only("~ ~ * * * a") == only("~ ~ * * * a")


def test_ids_follow_from_the_commands() -> None:
    text = "0 1 * * * tar czf /b.tgz /home\n0 2 * * * echo ä\n0 3 * * * :\n0 4 * * * tar czf /b.tgz /home\n"
    ids = [entry["task_id"] for entry in entries_of(read_crontab(text, False).lines)]
    assert ids[0].startswith("tar-czf-b-tgz-home-")
    assert ids[2].startswith("cron-")
    assert ids[3] == f"{ids[0]}-2"
    later = text.replace("0 1", "30 5")
    assert [entry["task_id"] for entry in entries_of(read_crontab(later, False).lines)] == ids


def test_cron_ends_no_command_so_neither_do_we_soon() -> None:
    assert entries_of([only("* * * * * a")])[0]["timeout_seconds"] == 31 * 86400


def test_a_proof_finds_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    line, other = only("0 2 * * * a"), only("0 3 * * * a")
    read = crontab.read_rule
    monkeypatch.setattr(crontab, "read_rule", lambda fields: read(other.schedule))
    proof = prove(line, BERLIN, NOW)
    assert proof.different == ("2026-01-01T02:00:00+00:00", "2026-01-01T01:00:00+00:00")


def test_a_rare_time_is_compared_as_far_as_the_calendar_goes() -> None:
    proof = prove(replace(only("@yearly a"), schedule="0 0 29 2 *"), BERLIN, NOW)
    assert (proof.compared, proof.different) == (97, None)
