"""Custom code runs as __main__ in the working directory."""

from __future__ import annotations

import os
from typing import Any

from tasks import CustomTask


def test_traceback_shows_the_source_line(place: Any) -> None:
    result = place.run(CustomTask(custom_script="total = 0\nprint(1 / total)  # this very line\n"))
    assert result.exit_code == 1
    assert "print(1 / total)  # this very line" in place.err
    assert "line 2" in place.err


def test_runs_as_main_and_finds_modules_of_the_working_directory(place: Any) -> None:
    place.write("neighbour.py", "name = 'neighbour'")
    code = "import neighbour, sys, os; print(__name__, neighbour.name, len(sys.argv), os.getcwd())"
    assert place.run(CustomTask(custom_script=code)).status == "completed"
    assert place.out == f"__main__ neighbour 1 {place.workspace}\n"


def test_code_longer_than_an_argument_may_be(place: Any) -> None:
    code = "# " + "é" * 300_000 + "\nprint('whole ✓')\n"
    assert place.run(CustomTask(custom_script=code)).status == "completed"
    assert place.out == "whole ✓\n"


def test_private_directory_is_gone_afterwards(place: Any) -> None:
    code = "import os; open(os.environ['TMPDIR'] + '/left', 'w'); print(os.environ['TMPDIR'])"
    assert place.run(CustomTask(custom_script=code)).status == "completed"
    assert place.out.strip().startswith(str(place.tmp_root))
    assert not os.path.exists(place.out.strip())


def test_spawned_workers_can_import_the_code(place: Any) -> None:
    code = (
        "import multiprocessing as mp\n"
        "def double(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with mp.get_context('spawn').Pool(2) as pool: print(pool.map(double, [1, 2]))\n"
    )
    assert place.run(CustomTask(custom_script=code)).status == "completed", place.err
    assert place.out == "[2, 4]\n"
