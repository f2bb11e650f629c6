"""A command of plain words is its program: the shell would take the words as they stand, and add nothing."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.plain_words import plain_words

SHELL_DOES = "printf '<%s>' {}"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/true", ["/bin/true"]),
        ("python3 -m pkg.mod --rate=0.5 a,b:c", ["python3", "-m", "pkg.mod", "--rate=0.5", "a,b:c"]),
        ("  ./run.sh \t x@y +1 50% \n", ["./run.sh", "x@y", "+1", "50%"]),
        ("make X=1", ["make", "X=1"]),
    ],
)
def test_words_that_stand_as_they_are(command: str, words: list[str]) -> None:
    assert plain_words(command) == words


@pytest.mark.parametrize(
    "command",
    [
        *("echo hi", "cd /tmp", ". ./env", "exit 3", "true", "if", "time make", "wait"),
        *("A=1 make", "A=1", "./a=b"),
        *("a; b", "a & b", "a | b", "a > b", "a\nb", "a && b", "(a)", "{ a", "! a", "a # b", "a `b`"),
        *("ls *.py", "ls ?", "ls [a]", "ls ~", "ls ~/x", "a {b,c}", "a $b", "a \\b", "a 'b'", 'a "b"'),
        *("a\u00a0b", "a\rb", "café", "", " \n"),
    ],
)
def test_whatever_a_shell_might_change_is_left_to_it(command: str) -> None:
    assert plain_words(command) is None


@given(st.text(alphabet="ab-./:,@%+= \t\n~#*?'\"$\\{}[]!&;|<>()^`0", min_size=1, max_size=12))
def test_a_shell_takes_the_words_as_they_stand(rest: str) -> None:
    """The law that the shortcut rests on, asked of the system's own shell."""
    words = plain_words(f"./program {rest}")
    if words is None:
        return
    line = SHELL_DOES.format(" ".join(f"./program {rest}".strip(" \t\n").split("\0")))
    shown = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True).stdout
    assert shown == "".join(f"<{word}>" for word in words)


def test_no_word_of_the_shells_own_is_looked_for_as_a_program() -> None:
    """Ask the shell of this machine which of the names that it knows would be taken for programs."""
    names = subprocess.run(
        ["/bin/bash", "-c", "compgen -b; compgen -k"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(names) > 60
    assert [name for name in names if plain_words(f"{name} x") is not None] == []


def test_the_program_is_the_main_process(place: Any) -> None:
    place.write("who", "#!/bin/sh\ncat /proc/$PPID/comm\n").chmod(0o755)
    alone, behind = place.sh("./who"), place.out
    place.sh("./who; exit 0")
    assert alone.status == "completed"
    assert behind.strip() != "sh"
    assert place.out.strip() == "sh"


def test_the_signal_that_ends_a_program_is_told(place: Any) -> None:
    place.write("die", "#!/bin/sh\nkill -SEGV $$\n").chmod(0o755)
    result = place.sh("./die")
    assert (result.exit_code, result.signal) == (None, "SIGSEGV")


def test_path_of_the_task_is_searched(place: Any) -> None:
    place.write("own/tool", "#!/bin/sh\necho own $1\n").chmod(0o755)
    result = place.sh("tool 1", env={"PATH": f"/nowhere:{place.workspace}/own:/usr/bin:/bin"})
    assert (result.status, place.out) == ("completed", "own 1\n")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("no-such-program x", 127, "not found"),
        ("./no-such-program", 127, "not found"),
        ("./plain", 126, "ermission denied"),
        ("./folder", 126, "ermission denied"),
        ("./dangling-interpreter", 127, "not found"),
    ],
)
def test_what_cannot_be_started_is_told_by_the_shell(place: Any, command: str, code: int, said: str) -> None:
    place.write("plain", "echo")
    place.write("folder/x", "")
    place.write("dangling-interpreter", "#!/no/such\n").chmod(0o755)
    result = place.sh(command)
    assert (result.status, result.exit_code) == ("failed", code)
    assert said in place.err


def test_a_script_that_names_no_interpreter_is_the_shells(place: Any) -> None:
    place.write("bare", "echo bare $1\n").chmod(0o755)
    assert place.sh("./bare 1").status == "completed"
    assert place.out == "bare 1\n"


def test_environment_is_as_a_shell_hands_it_on(place: Any) -> None:
    place.write("below/x", "")
    place.sh("env", working_directory="below")
    direct = sorted(line for line in place.out.splitlines() if not line.startswith(("HOME=", "TMPDIR=", "SCHEDULER_")))
    place.sh("env; exit", working_directory="below")
    shell = sorted(line for line in place.out.splitlines() if not line.startswith(("HOME=", "TMPDIR=", "SCHEDULER_")))
    assert f"PWD={place.workspace}/below" in direct
    assert [line for line in shell if not line.startswith(("_=", "SHLVL=", "OLDPWD="))] == direct
