"""What several processes share counts once, whatever they do while they are asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tasks.sandbox

HOLD = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
import tree

held = bytearray(b"x") * (40 << 20)
signal.signal(signal.SIGUSR1, lambda *_: os.execv("/bin/sleep", ["sleep", "600"]))

def hold():
    pid = os.fork()
    if pid == 0:
        while True: signal.pause()
    return pid

def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

def become(pid):
    os.kill(pid, signal.SIGUSR1)
    while b"sleep" not in open(f"/proc/{pid}/cmdline", "rb").read(): time.sleep(0.001)

def asked(then):
    ask = tree._fair_bytes
    def answer(member):
        share = ask(member)
        if member.pid != children[-1]: then(member.pid)
        return share
    tree._fair_bytes = answer

children = [hold() for _ in range(5)]
try:
    watch = tree.Watch()
    watch.look()
    assert watch.memory > 200 << 20, watch.memory
    exec(sys.argv[2])
    print(watch.fair_memory() >> 20)
finally:
    for pid in children: os.kill(pid, signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "happens",
    [
        "pass",
        pytest.param("for pid in children[:3]: end(pid); children.remove(pid)", id="gone before they are asked"),
        pytest.param("for pid in children[:3]: os.kill(pid, 9); os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)",
                     id="dead before they are asked"),
        pytest.param("asked(lambda pid: (end(pid), children.remove(pid)))", id="gone once asked"),
        pytest.param("asked(become)", id="another program once asked"),
    ],
)  # fmt: skip
def test_what_is_shared_counts_once(happens: str) -> None:
    folder = Path(tasks.sandbox.__file__).parent
    command = [sys.executable, "-I", "-S", "-c", HOLD, str(folder), happens]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert 5 < int(done.stdout) <= 50, done
