"""Runs in a browser: seen as they go, found, searched, ended and run again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browser.conftest import WIDTHS, fits, until
from tests.server import Server, wait_until

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]
HOSTILE = "<script>window.hit=1</script><img src=x onerror=window.hit=1>\"'`</code></div>"
GATE = "while [ ! -e {} ]; do sleep 0.05; done"


def lines(page: Page, stream: str = "stdout") -> list[str]:
    """Return the lines of a stream that are shown."""
    texts = page.locator(f"[data-stream={stream}] .line code").all_inner_texts()
    return [text.strip() for text in texts]


def create(server: Server, task_id: str, command: str, **fields: Any) -> None:
    server.ok("create", task_id=task_id, type="command", interval="every 5 hours", command=command, **fields)


def ended(server: Server, task_id: str) -> str:
    """Run a task to its end and return the run's id."""
    run = server.ok("run_now", task_id=task_id, wait=True)["run"]
    assert run["finished_at"], run
    return str(run["run_id"])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_run_is_seen_live_to_its_end(demo: Server, open_page: OpenPage, width: int) -> None:
    name = f"live-{width}"
    gates = [f"{name}-{number}" for number in (1, 2, 3)]
    create(demo, name, f"printf '\\033[31mred\\033[0m {HOSTILE.replace(chr(39), '')}\\nhal'; {GATE.format(gates[0])}; "
           f"echo f; echo wrong >&2; {GATE.format(gates[1])}; echo more; {GATE.format(gates[2])}; exit 7")  # fmt: skip
    page = open_page(f"{demo.url}/tasks/{name}", width=width)
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/runs/*")
    until(page, "document.querySelectorAll('.line').length === 2")
    red = page.locator(".line code .a-f1")
    expect(red).to_have_text("red")
    assert lines(page)[1] == "hal"
    (demo.workspace / gates[0]).touch()
    expect(page.locator("#stderr-L1 code")).to_have_text("wrong")
    expect(page.locator("#stdout-L2 code")).to_have_text("half")  # each stream comes by itself
    page.get_by_role("button", name="Pause").click()
    (demo.workspace / gates[1]).touch()
    expect(page.get_by_role("button", name=re.compile(r"Go on \(1 line"))).to_be_visible()
    assert "more" not in lines(page)
    page.get_by_role("button", name=re.compile("Go on")).click()
    expect(page.locator("#stdout-L3 code")).to_have_text("more")
    page.get_by_role("button", name="Together").click()
    together = page.locator(".log.together .line code")
    expect(together).to_have_count(4)
    assert [text.split()[0] for text in together.all_inner_texts()] == ["red", "half", "wrong", "more"]
    (demo.workspace / gates[2]).touch()
    expect(page.locator(".page-head .status.failed")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("7")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert page.evaluate("window.hit") is None
    assert fits(page)


def test_a_failure_is_found_from_the_list(
    demo: Server, open_page: OpenPage, check_access: Callable[[Page], None]
) -> None:
    create(demo, "breaks", "echo fine; echo 'it broke here' >&2; exit 3")
    run_id = ended(demo, "breaks")
    page = open_page(f"{demo.url}/runs")
    page.select_option("#filter-status", "trouble")
    page.wait_for_url("**/runs?status=trouble")
    page.fill("#filter-task", "breaks")
    page.press("#filter-task", "Enter")
    page.wait_for_url("**/runs?task=breaks&status=trouble")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run_id}")
    first = page.locator(".stream").first
    expect(first.locator("h3")).to_have_text("stderr")
    expect(first.locator(".line code")).to_have_text("it broke here")
    check_access(page)
    page.go_back()
    expect(page.locator("#filter-task")).to_have_value("breaks")


def test_the_list_of_runs_is_kept_as_it_is_now(demo: Server, open_page: OpenPage) -> None:
    create(demo, "appears", "true")
    page = open_page(f"{demo.url}/runs?task=appears")
    expect(page.get_by_text("No runs are like that")).to_be_visible()
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    demo.ok("run_now", task_id="appears")
    expect(page.locator("tr[data-row] .status.completed")).to_be_visible()


def test_what_keys_choose_is_asked_for_when_it_is_whole(demo: Server, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/runs?day=2026-11-05")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)
    page.focus("#filter-status")
    page.keyboard.type("fail")
    expect(page.locator("#filter-status")).to_have_value("failed")
    page.focus("#filter-day")
    page.keyboard.type("12012025")
    expect(page.locator("#filter-day")).to_have_value("2025-12-01")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs?status=failed&day=2025-12-01")
    assert asked == [page.url]
    page.select_option("#filter-trigger", "manual")
    page.wait_for_url("**/runs?status=failed&trigger=manual&day=2025-12-01")


def test_fields_can_be_used_where_the_page_did_not_go_away(demo: Server, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/runs")
    page.route("**/runs?*", lambda route: route.fulfill(status=204))  # as one that is stopped by Escape
    page.fill("#filter-task", "slow")
    with page.expect_request("**/runs?task=slow"):
        page.press("#filter-task", "Enter")
    assert page.locator(".filters :disabled").count() == 0


def test_searching_and_linking_in_a_long_output(demo: Server, open_page: OpenPage) -> None:
    create(
        demo, "long-output", "for i in $(seq 3000); do echo line $i of many; done; echo 'the Needle' ; seq 4000 4100"
    )
    run_id = ended(demo, "long-output")
    page = open_page(f"{demo.url}/runs/{run_id}#stdout-L1500")

    # Playwright's `expect` writes the whole page down each time that it does not see yet what it waits for.
    def says(text: str) -> None:
        until(page, "text => document.querySelector('.found').textContent === text", text)

    def seen(number: int, kind: str) -> None:
        until(
            page,
            """([line, kind]) => {
            const element = document.querySelector(`${line}.${kind}`), box = element?.getBoundingClientRect();
            return box && box.top >= 0 && box.bottom <= innerHeight;
        }""",
            [f"#stdout-L{number}", kind],
        )

    seen(1500, "linked")
    expect(page.locator("[data-stream=stdout] [data-count]")).to_have_text("3102 lines")
    page.keyboard.press("/")
    page.keyboard.type("needle")
    says("1 of 1")
    seen(3001, "hit-now")
    page.fill("#find", "1000")
    says("1 of 1")
    page.fill("#find", "line 299")
    says("1 of 11")
    page.press("#find", "Enter")
    says("2 of 11")
    page.press("#find", "Shift+Enter")
    seen(299, "hit-now")
    page.fill("#find", "nowhere")
    says("Not found")
    page.locator("#stdout-L299 a").click()
    assert page.url.endswith("#stdout-L299")
    with page.expect_download() as download:
        page.locator("[data-stream=stdout] a.download").click()
    assert download.value.suggested_filename == f"{run_id}.stdout.txt"


def test_a_run_is_cancelled_and_run_again(demo: Server, open_page: OpenPage) -> None:
    create(demo, "endless", "echo begun; exec sleep 600")
    run_id = demo.ok("run_now", task_id="endless")["run_id"]
    page = open_page(f"{demo.url}/runs/{run_id}")
    expect(page.locator("#stdout-L1 code")).to_have_text("begun")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="End the run").click()
    expect(page.get_by_text("The run is cancelled: all its processes have ended.")).to_be_visible()
    expect(page.locator(".page-head .status.cancelled")).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("r")
    page.wait_for_url(re.compile(rf"/runs/(?!{run_id})\w{{26}}$|/tasks/endless$"))
    wait_until(lambda: len(demo.runs(task_id="endless")) == 2 or page.keyboard.press("r"))
    demo.ok("cancel", task_id="endless")


def test_what_a_run_writes_and_is_called_runs_nowhere(demo: Server, open_page: OpenPage) -> None:
    table = [HOSTILE, f"\x1b[31m{HOSTILE}\x1b[0m", f"\x1b]8;;javascript:window.hit=1\x1b\\{HOSTILE}\x1b]8;;\x1b\\",
             f"\x1b]0;{HOSTILE}\x07", f"\x1b[38;2;1;2;3;{HOSTILE}m", f"{HOSTILE}\r{HOSTILE}",
             f"\x1b[{HOSTILE}"]  # fmt: skip
    name = f"{HOSTILE[:60]}.txt".replace("/", "\u2215")
    (demo.workspace / name).write_text("\n".join(table))
    task_id = HOSTILE[:100]
    fields = {"name": HOSTILE[:90], "description": HOSTILE, "tags": [HOSTILE[:60]]}
    create(demo, task_id, 'cat -- "$1"; cat -- "$1" >&2; exit 1', args=[name], **fields)
    run_id = ended(demo, task_id)
    for path in (f"/runs/{run_id}", "/runs?status=failed", f"/runs/{run_id}#stdout-L2"):
        page = open_page(demo.url + path)
        if run_id in path:
            until(page, "document.querySelectorAll('.line .a-f1').length > 0")
            page.get_by_role("button", name="Together").click()
            page.fill("#find", "<script>")
            expect(page.locator(".found")).to_contain_text("of")
            assert page.locator(".log img, .log script, .log a:not([href^='#'])").count() == 0
        else:
            page.get_by_role("link", name=HOSTILE[:100]).first.click()
            page.wait_for_url("**/tasks/*")
            expect(page.locator("h1")).to_have_text(HOSTILE[:90])
        assert page.evaluate("window.hit") is None


RED = r"\033[31m%s\033[0m\n"
TOGETHER = {
    "coloured stdout": (f"printf '{RED}' o1; echo o2; echo e1 >&2", ["o1", "o2", "e1"]),
    "coloured stderr": (f"printf '{RED}' e1 >&2; echo o1; echo o2", ["o1", "o2", "e1"]),
    "plain": ("echo e1 >&2; echo o1; echo e2 >&2", ["o1", "e1", "e2"]),
    "long": (
        "seq -f e%g 3000 >&2; seq -f o%g 3000",
        [*(f"o{number}" for number in range(1, 3001)), *(f"e{number}" for number in range(1, 3001))],
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_of_a_run_that_has_ended_stdout_stands_first(demo: Server, open_page: OpenPage, name: str) -> None:
    command, expected = TOGETHER[name]
    create(demo, f"together {name}", f"{command}; exit 3")
    page = open_page(f"{demo.url}/runs/{ended(demo, f'together {name}')}")
    for _ in range(2):
        page.get_by_role("button", name="Together").click()
        expect(page.locator(".log.together .line code")).to_have_text(expected)
        page.get_by_role("button", name="Apart").click()
    assert page.locator("[data-stream=stdout] .line").count() == sum(text.startswith("o") for text in expected)


PAUSED = r"""async () => {
    const { Queue } = await import(document.querySelector("link[href*='output']").href);
    const written = [], queue = new Queue(() => {});
    const stream = (name) => ({ write: (text) => written.push(name + text) });
    const broken = stream("broken"), other = stream("other");
    queue.pause(true);
    for (const one of [broken, other]) queue.add(one, " line\n");
    queue.drop(broken);
    queue.pause(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return written;
}"""


def test_what_waits_of_a_stream_that_broke_off_is_not_shown_beside_the_same_read_anew(
    demo: Server, open_page: OpenPage
) -> None:
    create(demo, "has a page", "true")
    page = open_page(f"{demo.url}/runs/{ended(demo, 'has a page')}")
    assert page.evaluate(PAUSED) == ["other line\n"]


def test_a_search_goes_on_while_lines_come(demo: Server, open_page: OpenPage) -> None:
    create(demo, "sought", f"echo 1; {GATE.format('sought-1')}; printf nee; {GATE.format('sought-2')}; "
           f"echo dle; {GATE.format('sought-3')}; echo needle 2; exit 3")  # fmt: skip
    run_id = demo.ok("run_now", task_id="sought")["run_id"]
    page = open_page(f"{demo.url}/runs/{run_id}")
    expect(page.locator("#stdout-L1 code")).to_have_text("1")
    found = page.locator(".found")
    page.fill("#find", "needle")
    expect(found).to_have_text("Not found")
    (demo.workspace / "sought-1").touch()
    expect(page.locator("#stdout-L2 code")).to_have_text("nee")
    expect(found).to_have_text("Not found")
    (demo.workspace / "sought-2").touch()
    expect(found).to_have_text("1 found")
    page.press("#find", "Enter")
    expect(found).to_have_text("1 of 1")
    (demo.workspace / "sought-3").touch()
    expect(found).to_have_text("1 of 2")
    page.fill("#find", "3")  # the numbers of lines are not sought in
    expect(found).to_have_text("Not found")


def test_of_a_run_that_ends_nothing_goes_on_saying_that_it_runs(demo: Server, open_page: OpenPage) -> None:
    create(demo, "ends", f"echo 1; {GATE.format('ends')}; echo 2; exit 3")
    run_id = demo.ok("run_now", task_id="ends")["run_id"]
    page = open_page(f"{demo.url}/runs/{run_id}")
    expect(page).to_have_title(re.compile("running"))
    expect(page.locator("#stdout-L1 code")).to_have_text("1")
    page.get_by_role("button", name="Pause").click()
    (demo.workspace / "ends").touch()
    expect(page).to_have_title(re.compile("ends, failed"))
    page.get_by_role("button", name="Go on").click()  # what is held back can be shown still
    expect(page.locator("#stdout-L2 code")).to_have_text("2")
    for name in ("Follow", "Pause"):
        expect(page.get_by_role("button", name=name)).to_be_hidden()


def test_lines_stay_until_the_same_are_shown_anew(demo: Server, open_page: OpenPage) -> None:
    create(demo, "broken off", f"echo 1; echo 2; {GATE.format('broken-off')}; echo 3")
    run_id = demo.ok("run_now", task_id="broken off")["run_id"]
    page = open_page("about:blank", expected=("ERR_",))
    page.add_init_script("""const real = fetch;
        window.fetch = async (path, options) => {
            if (!String(path).includes("/log?stream=stdout")) return real(path, options);
            const own = new AbortController();
            window.breakOff = () => own.abort();
            window.readings = (window.readings ?? 0) + 1;
            return real(path, { ...options, signal: own.signal });
        };""")
    page.goto(f"{demo.url}/runs/{run_id}")
    until(page, "window.readings === 1 && document.querySelectorAll('#output .line code').length === 2")
    page.get_by_role("button", name="Pause").click()
    page.evaluate("breakOff()")
    until(page, "window.readings === 2")
    (demo.workspace / "broken-off").touch()
    expect(page.get_by_role("button", name="Go on (1 lines)")).to_be_visible()
    assert lines(page) == ["1", "2"]
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#stdout-L3 code")).to_have_text("3")
    assert lines(page) == ["1", "2", "3"]


def test_what_becomes_of_a_retry_is_shown(demo: Server, open_page: OpenPage) -> None:
    create(demo, "retried", GATE.format("retried") + "; exit 1", max_retries=1, retry_delay_seconds=1)
    run_id = demo.ok("run_now", task_id="retried")["run_id"]
    page = open_page(f"{demo.url}/runs/{run_id}")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    (demo.workspace / "retried").touch()
    expect(page.locator(".attempts .status.failed")).to_have_count(2)


def test_that_an_order_is_not_known_is_said(demo: Server, open_page: OpenPage) -> None:
    create(demo, "mixed", f"echo o1; echo e1 >&2; echo o2; {GATE.format('mixed')}")
    run_id = demo.ok("run_now", task_id="mixed")["run_id"]
    wait_until(lambda: "o2" in demo.ok("output", run_id=run_id)["stdout"])
    page = open_page(f"{demo.url}/runs/{run_id}")
    hint = page.get_by_text("It is not kept in which order the two were written")
    page.get_by_role("button", name="Together").click()
    expect(hint).to_be_visible()
    page.get_by_role("button", name="Apart").click()
    expect(hint).to_be_hidden()
    (demo.workspace / "mixed").touch()


ANSI = [
    ("plain", [("", "plain")]),
    ("\x1b[1;31mred\x1b[0m after", [("a-bold a-f1", "red"), ("", " after")]),
    ("\x1b[91mbright\x1b[39m", [("a-f9", "bright")]),
    ("\x1b[38;5;196mred\x1b[m", [("a-f9", "red")]),
    ("\x1b[38;2;10;200;20mgreen\x1b[48;5;21mon blue", [("a-f10", "green"), ("a-f10 a-b12", "on blue")]),
    ("\x1b[38:2::255:0:0mred\x1b[48:5:21mon blue", [("a-f9", "red"), ("a-f9 a-b12", "on blue")]),
    ("\x1b[38:2:255:0:0mred", [("a-f9", "red")]),
    ("\x1b[58;5;1mnot bold\x1b[58:2::1:3:4m\x1b[58;2;1;3;4;32mgreen", [("", "not bold"), ("a-f2", "green")]),
    ("\x1b[4:3mcurly\x1b[4:0m not", [("a-underline", "curly"), ("", " not")]),
    ("\x1b[31m\x1b[>4;1m\x1b[?1mred", [("a-f1", "red")]),
    ("\x1b[1mbold\x1b[22m not", [("a-bold", "bold"), ("", " not")]),
    ("\x1b[7minverse\x1b[27m", [("a-inverse", "inverse")]),
    ("old\rnew", [("", "new")]),
    ("\x1b[32mold\rnew", [("a-f2", "new")]),
    ("\x1b]0;title\x07shown", [("", "shown")]),
    ("\x1b[2Kclean\x1b[10;3H", [("", "clean")]),
    ("a\x00\x07b", [("", "a"), ("", "b")]),
    ("<b>bold</b>&amp;", [("", "<b>bold</b>&amp;")]),
]


def test_colours_become_classes(demo: Server, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/runs")
    folder = page.evaluate("document.querySelector('link[rel=stylesheet]').href").rpartition("/")[0]
    found = page.evaluate(
        """async ([folder, lines]) => {
            const { nodesOf, Style } = await import(`${folder}/ansi.js`);
            const told = (node) => [node.className ?? "", node.textContent];
            return lines.map((line) => nodesOf(line, new Style()).map(told));
        }""",
        [folder, [line for line, _ in ANSI]],
    )
    assert [[tuple(part) for part in line] for line in found] == [expected for _, expected in ANSI]


def test_without_javascript_it_is_a_page_to_be_read(demo: Server, open_page: OpenPage) -> None:
    create(demo, "plain", "echo hello; exit 2")
    run_id = ended(demo, "plain")
    page = open_page(f"{demo.url}/runs/{run_id}", java_script_enabled=False)
    expect(page.locator("#stdout-L1 code")).to_have_text("hello")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator(".notice")).to_contain_text("is run now")
