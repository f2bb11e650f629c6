"""A run's page: what it says of how the run went, and what may be done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

import pytest

from scheduler.http.pages.failures_view import MOST_LINES, find_failures
from scheduler.http.pages.output_view import HEAD_LINES, LONGEST_LINE, TAIL_LINES, plain, view_stream
from scheduler.models import Job
from tests.http.conftest import watch_for
from tests.pages.conftest import Site
from tests.pages.test_runs import add
from tests.pages.test_serve import HOSTILE

TESTS = """
import pytest
def test_fine(): pass
class TestCart:
    @pytest.mark.parametrize("n", [1, 2])
    def test_total(self, n):
        assert n == 1, "<script>alert(1)</script>"
@pytest.fixture
def broken(): raise RuntimeError("no database")
def test_data(broken): pass
"""


def facts(page: str) -> dict[str, str]:
    """Return what stands beside each name among the facts."""
    found = re.findall(r"<div><dt>(.+?)<dd>(.*?)</div>", page, re.DOTALL)
    return {name: re.sub(r"(?:<[^>]+>|\s)+", " ", text).strip() for name, text in found}


def numbered(page: str, stream: str = "stdout") -> list[tuple[int, str]]:
    """Return the lines of a stream with their numbers."""
    found = re.findall(rf'id="{stream}-L(\d+)"><a href="#{stream}-L\1"[^>]*>\1</a><code>(.*?)</code>', page)
    return [(int(number), text) for number, text in found]


# --- the page -----------------------------------------------------------------------------------


def test_a_run_that_failed(site: Site) -> None:
    site.api.create("bad", command="echo one; echo two; echo oops >&2; exit 3", env={"API_KEY": "geheim", "STAGE": "x"})
    run = site.api.run("bad")
    page = site.open(f"/runs/{run['run_id']}")
    assert numbered(page) == [(1, "one"), (2, "two")]
    assert numbered(page, "stderr") == [(1, "oops")]
    assert page.index('data-stream="stderr"') < page.index('data-stream="stdout"'), "what went wrong stands first"
    told = facts(page)
    assert told["Trigger"] == "manual"
    assert told["Environment"].startswith("API_KEY STAGE")
    assert "geheim" not in page
    assert {"CPU", "Sandbox", "Due", "Started", "Finished", "Took"} <= set(told)
    assert told["Run"] == run["run_id"]
    assert "exit code 3" in page
    assert f'href="/api/runs/{run["run_id"]}/log?stream=stdout"' in page
    assert "Run again" in page
    assert "/cancel" not in page


def test_a_run_that_goes_on_can_be_ended(site: Site) -> None:
    run_id = site.api.running()
    page = site.open(f"/runs/{run_id}")
    assert 'data-ended="false"' in page
    assert "data-elapsed" in page
    response = site.send(f"/runs/{run_id}/cancel")
    assert (response.status_code, response.headers["Location"]) == (303, f"/runs/{run_id}")
    assert "is being ended" in site.open(f"/runs/{run_id}")
    watch_for(lambda: site.api.scheduler.get_run(run_id).status == "cancelled")
    site.send(f"/runs/{run_id}/cancel")
    assert "has already ended" in site.open(f"/runs/{run_id}")


def test_running_again_goes_to_the_new_run(site: Site) -> None:
    site.api.create("echo", command="echo hello")
    run = site.api.run("echo")
    response = site.send(f"/runs/{run['run_id']}/again")
    place = response.headers["Location"]
    assert place.startswith("/runs/")
    assert place != f"/runs/{run['run_id']}"
    assert "is run now" in site.open(place)


def test_running_again_is_refused_where_it_goes_on(site: Site) -> None:
    run_id = site.api.running()
    assert site.send(f"/runs/{run_id}/again").headers["Location"] == f"/runs/{run_id}"
    page = site.open(f"/runs/{run_id}")
    assert 'class="notice bad"' in page
    assert "max_instances" in page or "already" in page


def test_attempts_are_linked(site: Site) -> None:
    site.api.create("tries")
    first = add(site, "tries", "failed", ago=1)
    second = add(site, "tries", attempt=2, ago=1)
    page = site.open(f"/runs/{first}")
    assert f'<li><a href="/runs/{second}">2</a>' in page
    assert f'<li aria-current="true"><a href="/runs/{first}">1</a>' in page
    add(site, "tries", ago=5)
    assert "Attempts" not in site.open(f"/runs/{add(site, 'tries', ago=7)}")


def test_one_that_never_started_says_why(site: Site) -> None:
    site.api.create("late")
    page = site.open(f"/runs/{add(site, 'late', 'missed', details={'reason': 'noticed 312 s late'})}")
    assert "noticed 312 s late" in page
    assert "It never started, so it wrote nothing." in page


def test_a_removed_task_s_runs_stay_readable(site: Site) -> None:
    site.api.create("gone/100%")
    run_id = add(site, "gone/100%", "failed")
    site.api.ok("remove", task_id="gone/100%")
    page = site.open(f"/runs/{run_id}")
    assert 'href="/runs?task=gone/100%25"' in page
    assert "Run again" not in page


@pytest.mark.soak
def test_failing_tests_stand_before_the_output(site: Site) -> None:
    (site.api.workspace / "test_it.py").write_text(TESTS)
    site.api.create("tests", type="test", file_path="test_it.py", args=["--color=yes"])
    page = site.open(f"/runs/{site.api.run('tests')['run_id']}")
    names = re.findall(r'<summary><span class="bad">(.+?)</span>', page)
    assert names == ["test_it.py::TestCart::test_total[2]", "test_it.py::test_data"]
    assert page.index("test_total[2]") < page.index('id="output"')
    assert "RuntimeError: no database" in page
    assert "<script>alert" not in page
    number = re.search(r'href="#stdout-L(\d+)">Line', page)
    assert number
    assert f'id="stdout-L{number[1]}"' in page
    assert "1 failed, 1 errors, 2 passed" in page


def test_who_may_read_has_no_buttons(locked: Site) -> None:
    locked.api.scheduler.add_job(Job(task_id="task", command="true", interval="every 1 hour"))
    run_id = add(locked, "task", "failed")
    forms = ('method="post" action="/runs', 'method="post" action="/tasks')
    locked.sign_in("ann")
    assert any(form in locked.open(f"/runs/{run_id}") for form in forms)
    locked.sign_in("rob")
    for path in (f"/runs/{run_id}", "/tasks/task"):
        assert not any(form in locked.open(path) for form in forms)
    assert locked.send(f"/runs/{run_id}/again").status_code == 403
    assert locked.send("/tasks/task/pause").status_code == 403


def test_no_such_run(site: Site) -> None:
    assert "No run &#39;nothing&#39; exists" in site.open("/runs/nothing", 404)


def test_what_a_run_writes_runs_nowhere(site: Site) -> None:
    text = f"\x1b[31m{HOSTILE}\x1b[0m</code></div><script>alert(2)</script>"
    (site.api.workspace / "hostile.txt").write_text(text * 3)
    site.api.create("says", command="cat hostile.txt; cat hostile.txt >&2; exit 1", description=HOSTILE)
    page = site.open(f"/runs/{site.api.run('says')['run_id']}")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(2)" in page
    assert "\x1b" not in page


# --- output as lines ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m and \x1b[38;5;208morange\x1b[m", "red and orange"),
        ("10%\r50%\r100%\r", "100%"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x00b\x08c\x7f", "abc"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("half \x1b[3", "half 3"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
def test_what_terminals_understand_goes(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("count", "head", "between", "tail"),
    [(0, 0, 0, 0), (1, 1, 0, 0), (HEAD_LINES, HEAD_LINES, 0, 0), (HEAD_LINES + TAIL_LINES, HEAD_LINES, 0, TAIL_LINES),
     (HEAD_LINES + TAIL_LINES + 7, HEAD_LINES, 7, TAIL_LINES)],
)  # fmt: skip
def test_first_and_last_lines_keep_their_numbers(count: int, head: int, between: int, tail: int) -> None:
    view = view_stream("stdout", b"".join(b"line %d\n" % number for number in range(1, count + 1)))
    assert (len(view.head), view.between, len(view.tail), view.total) == (head, between, tail, count)
    assert all(line.text == f"line {line.number}" for line in [*view.head, *view.tail])
    assert view.is_whole == (between == 0)


def test_a_page_stays_small_whatever_is_written() -> None:
    view = view_stream("stdout", b"x" * 1_000_000 + b"\n" + b"y" * 5000 + b"\n" + (b"z" * 1900 + b"\n") * 500)
    assert view.head[0].text == "x" * LONGEST_LINE + f" … {1_000_000 - LONGEST_LINE} more characters"
    assert sum(len(line.text) for line in [*view.head, *view.tail]) < 100_000
    assert not view.is_whole


def test_the_line_that_tells_of_cut_bytes_is_marked() -> None:
    view = view_stream("stdout", b"a\n\n[123 bytes cut]\nb \xff\n")
    assert [line.cut for line in view.head] == [False, False, True, False]
    assert view.head[3].text == "b \ufffd"


# --- pytest -------------------------------------------------------------------------------------

REPORT = """\
============================= test session starts ==============================
collected 4 items

test_a.py .F                                                             [ 50%]
==================================== ERRORS ====================================
_________________________ ERROR at setup of test_base __________________________

    def base(): raise RuntimeError("no database")
E   RuntimeError: no database

______________________ ERROR collecting tests/test_c.py _______________________
E   ModuleNotFoundError: No module named 'nothing'
=================================== FAILURES ===================================
______________________________ TestA.test_b[a b] _______________________________

    def test_b():
>       assert 1 == 2
E       assert 1 == 2

test_a.py:5: AssertionError
____________________________________ test_x ____________________________________
E       first
____________________________________ test_x ____________________________________
E       second
=========================== short test summary info ============================
FAILED test_a.py::TestA::test_b[a b] - assert 1 == 2
FAILED test_a.py::test_x - first
FAILED test_b.py::test_x
ERROR test_a.py::test_base - RuntimeError: no database
ERROR tests/test_c.py
===================== 3 failed, 1 passed, 2 errors in 0.03s ====================
""".splitlines()


def test_what_each_failing_test_says() -> None:
    found = {one.node_id: one for one in find_failures(["test_b.py::gone"], REPORT)}
    assert next(iter(found)) == "test_b.py::gone", "what was recorded stands first"
    assert found["test_b.py::gone"].line is None
    one = found["test_a.py::TestA::test_b[a b]"]
    assert (one.message, one.line) == ("assert 1 == 2", REPORT.index("_" * 30 + " TestA.test_b[a b] " + "_" * 31) + 1)
    assert one.excerpt[0] == "    def test_b():"
    assert one.excerpt[-1] == "test_a.py:5: AssertionError"
    assert found["test_a.py::test_x"].excerpt == ["E       first"]
    assert (found["test_b.py::test_x"].message, found["test_b.py::test_x"].excerpt) == ("second", ["E       second"])
    assert found["test_a.py::test_base"].message == "RuntimeError: no database"
    assert found["tests/test_c.py"].message == "ModuleNotFoundError: No module named 'nothing'"


@pytest.mark.parametrize(
    ("recorded", "line", "node_id", "message"),
    [
        ([], "x.py::test_p[a - b] - E: a - b", "x.py::test_p[a - b]", "E: a - b"),
        ([], "x.py::test_p[a - b]", "x.py::test_p[a - b]", ""),
        ([], "x.py::test_p - E: [1] - [2]", "x.py::test_p", "E: [1] - [2]"),
        ([], "a[1]/x.py::test_p - E", "a[1]/x.py::test_p", "E"),
        ([], "x.py::test_p[[] - E", "x.py::test_p[[]", "E"),
        (["x.py::test_p[a] - b]"], "x.py::test_p[a] - b] - E", "x.py::test_p[a] - b]", "E"),
        (["x.py::test_p", "x.py::test_p[a] - b]"], "x.py::test_p[a] - b]", "x.py::test_p[a] - b]", ""),
        (["x.py::test_p - q", "x.py::test_p"], "x.py::test_p - q - E", "x.py::test_p - q", "E"),
    ],
)
def test_parameters_may_look_like_a_message(recorded: list[str], line: str, node_id: str, message: str) -> None:
    found = {one.node_id: one for one in find_failures(recorded, ["=== short test summary info ===", f"FAILED {line}"])}
    assert set(found) == {*recorded, node_id}
    assert found[node_id].message == message


@pytest.mark.parametrize("lines", [[], ["nothing of pytest's"], REPORT[5:7], ["=== FAILURES ===", "___ ___", "E"]])
def test_output_that_says_nothing_is_no_error(lines: Sequence[str]) -> None:
    assert [one.node_id for one in find_failures(["a::b"], lines)] == ["a::b"]


def test_a_long_failure_is_cut_at_its_start() -> None:
    lines = ["=== FAILURES ===", "___ test_a ___", *(f"line {number}" for number in range(500)), ""]
    [one] = find_failures(["x.py::test_a"], lines)
    assert len(one.excerpt) == MOST_LINES
    assert one.excerpt[-1] == "line 499"


def test_paths_of_runs_are_quoted(site: Site) -> None:
    assert site.get(f"/runs/{quote('a/b', safe='')}").status_code == 404
