"""Run the programs of docs/embedding.md as they stand, and compare what they print."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

PAGE = Path(__file__).parents[2] / "docs/embedding.md"
_PROGRAM = re.compile(r"^## ([^\n]+)$|^```python\n(.*?)^```\n(?:```text output\n(.*?)^```)?", re.DOTALL | re.MULTILINE)


def programs() -> list[tuple[str, str, str]]:
    """Return heading, program and output of each program of the page."""
    found, heading = [], ""
    for match in _PROGRAM.finditer(PAGE.read_text()):
        heading = match[1] or heading
        if match[2]:
            found.append((heading, match[2], match[3] or ""))
    return found


@pytest.mark.parametrize(("heading", "program", "output"), programs(), ids=[name for name, *_ in programs()])
def test_the_programs_print_what_the_page_says(
    heading: str,
    program: str,
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if heading == "FastAPI":
        pytest.importorskip("fastapi")
    module = ModuleType("embedding_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, str(PAGE), "exec"), vars(module))
    assert [line for line in capsys.readouterr().out.splitlines() if line] == output.splitlines()
