"""One holder at a time, and a bell that wakes it."""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scheduler.lease import FileLease, Ring, SocketDoorbell


def test_one_holds_it_until_it_gives_it_up(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path / "lease"), FileLease(tmp_path / "lease")
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    assert second.holder() == (os.getpid(), socket.gethostname())
    first.release()
    assert second.try_acquire()
    second.release()


def test_the_kernel_takes_it_back_from_the_dead(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from scheduler.lease import FileLease
lease = FileLease(Path({str(tmp_path / "lease")!r}))
print(lease.try_acquire(), flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    mine = FileLease(tmp_path / "lease")
    assert not mine.try_acquire()
    other.kill()
    other.communicate()
    assert mine.try_acquire()
    mine.release()


def test_a_ring_is_heard_at_once(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)  # deeper than a socket's path may be
    deep.mkdir(parents=True)
    holder, other = SocketDoorbell(deep), SocketDoorbell(deep)
    holder.listen()
    other.ring(Ring.JOBS, Ring.RUNS)
    other.ring(Ring.STATE)
    assert holder.wait(5) == {Ring.JOBS, Ring.RUNS, Ring.STATE}
    assert holder.wait(0) == frozenset()
    holder.close()
    other.close()


def test_ringing_where_nobody_listens_is_no_error(tmp_path: Path) -> None:
    bell = SocketDoorbell(tmp_path)
    bell.ring(Ring.JOBS)
    gone = SocketDoorbell(tmp_path)
    gone.listen()
    gone.close()
    bell.ring(Ring.JOBS)
    bell.close()


def test_a_thousand_rings_block_nobody(tmp_path: Path) -> None:
    holder = SocketDoorbell(tmp_path)
    holder.listen()
    began = time.monotonic()
    for _ in range(1000):
        holder.ring(Ring.JOBS)
    assert time.monotonic() - began < 5
    assert holder.wait(5) == {Ring.JOBS}
    holder.close()


@pytest.mark.parametrize("text", ["", "not json", "[1]"])
def test_a_lease_file_with_rubbish_in_it_is_read_as_unknown(tmp_path: Path, text: str) -> None:
    (tmp_path / "lease").write_text(text)
    assert FileLease(tmp_path / "lease").holder() is None


def test_the_bell_is_heard_by_a_process_with_many_descriptors(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip(f"a process may have {hard} descriptors here, which are too few for this test")
    bell = SocketDoorbell(tmp_path)
    bell.listen()
    assert bell._listener is not None
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    try:
        high = socket.socket(fileno=fcntl.fcntl(bell._listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 1500))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    bell._listener.close()
    bell._listener = high
    bell.ring(Ring.JOBS)
    assert bell.wait(5) == {Ring.JOBS}
    assert bell.wait(0) == frozenset()
    bell.close()
