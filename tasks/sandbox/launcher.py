"""Keep supervisors at hand: idle ones, new ones by the fork server, or by new interpreters where that has died.

The programs that confine and supervise are read and compiled once, when the server starts, and
handed over in sealed memory: nothing that a run writes can change what confines the next.
"""

from __future__ import annotations

import array
import fcntl
import functools
import logging
import marshal
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tasks.sandbox.control import Supervisor
from tasks.sandbox.leftovers import exempt

log = logging.getLogger(__name__)

MODULES = ("confine", "tree", "supervisor", "zygote")
"""The files that run beside the server, each before those that import it."""

BOOT = """
import marshal, os, sys
wanted, function, *numbers = sys.argv[1:]
for name, code in marshal.loads(os.pread(0, os.fstat(0).st_size, 0)):
    module = sys.modules[name] = type(sys)(name)
    exec(code, module.__dict__)
    if name == wanted:
        break
getattr(module, function)(*map(int, numbers))
os._exit(0)
"""

F_ADD_SEALS = 1033
ALL_SEALS = 0x1 | 0x2 | 0x4 | 0x8  # no more seals, no shrinking, growing, writing

MOST_IDLE = 16
"""How many supervisors at most wait for their next run."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@functools.cache
def _compiled() -> bytes:
    """Compile what runs beside the server, once a process: what the files become later belongs to the next."""
    folder = Path(__file__).parent
    return marshal.dumps(
        [
            (f"tasks.sandbox.{name}", compile((folder / f"{name}.py").read_text("utf-8"), name, "exec"))
            for name in MODULES
        ]
    )


class Program:
    """The compiled sources of what runs beside the server, in sealed memory."""

    def __init__(self) -> None:
        self._fd = os.memfd_create("sandbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        data = memoryview(_compiled())
        while data:
            data = data[os.write(self._fd, data) :]
        fcntl.fcntl(self._fd, F_ADD_SEALS, ALL_SEALS)

    def start(self, function: str, fds: Sequence[int]) -> subprocess.Popen[bytes]:
        """Start an interpreter, free of the server's environment and site, that calls a function with `fds`."""
        module, name = function.split(".")
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", BOOT, f"tasks.sandbox.{module}", name, *map(str, fds)],
            stdin=self._fd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=fds,
            start_new_session=True,
        )

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._fd)


class Launcher:
    """Finds a supervisor for each run, as fast as can be."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._idle: list[Supervisor] = []
        self._closed = False
        self.restarts = 0
        with self._lock:
            self._start_zygote()

    @property
    def kind(self) -> str:
        """How supervisors are started at present: by the fork server, or each by itself."""
        return "single" if self._requests is None else "fork-server"

    def supervisors(self) -> Iterator[Supervisor]:
        """Give one supervisor after the other, until one takes the run; whoever asks closes it or gives it back."""
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                yield self._idle.pop()
        forked = self._forked()
        if forked is not None:
            yield forked
            self._distrust()
        yield self._spawned()

    def give_back(self, supervisor: Supervisor) -> None:
        """Keep a supervisor that waits for its next run."""
        if len(self._idle) < MOST_IDLE and not self._closed:
            self._idle.append(supervisor)
        else:
            supervisor.close()

    def fork(self, control: int) -> bool:
        """Have the fork server make a supervisor with this socket; False where it is not there."""
        for _ in range(2):
            with self._lock:
                if self._requests is None:
                    self._start_zygote()
                requests = self._requests
            if requests is None:
                return False
            try:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [control]))]
                requests.sendmsg([b"r"], ancillary)
            except OSError as error:
                self._forget(requests, str(error))
            else:
                return True
        return False

    def close(self) -> None:
        """End the fork server and who waits; runs under way keep their supervisors."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        with self._lock:
            self._stop_zygote()
            self._program.close()

    def _forked(self) -> Supervisor | None:
        ours, theirs = socket.socketpair()
        with theirs:
            if self.fork(theirs.fileno()):
                return Supervisor(ours)
        ours.close()
        return None

    def _spawned(self) -> Supervisor:
        log.warning("A run is started without the fork server.")
        ours, theirs = socket.socketpair()
        with theirs:
            process = self._program.start("supervisor.supervise", [theirs.fileno()])
        exempt.add(process.pid)
        return Supervisor(ours, process)

    def _distrust(self) -> None:
        """Start the fork server anew: it took a request and made no supervisor."""
        if self._requests is not None:
            self._forget(self._requests, "it made no supervisor")

    def _forget(self, requests: socket.socket, why: str) -> None:
        with self._lock:
            if self._requests is requests:
                log.warning("The fork server is started anew: %s", why)
                self.restarts += 1
                self._stop_zygote()

    def _start_zygote(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._zygote = self._program.start("zygote.serve", [theirs.fileno()])
            except OSError as error:
                log.warning("The fork server could not be started, runs start more slowly: %s", error)
                ours.close()
                return
        exempt.add(self._zygote.pid)
        self._requests = ours

    def _stop_zygote(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
            exempt.discard(self._zygote.pid)
            self._zygote = None
