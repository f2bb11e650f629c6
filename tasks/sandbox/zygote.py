"""Wait for runs, and fork a supervisor for each.

One process, single-threaded, started by the server with nothing of the server's in its memory. A
fork of it costs a third of what a new interpreter costs. A request is one message that carries three
descriptors: the run's control socket, where the rest is said, and its two outputs. Only the standard
library is at hand.
"""

from __future__ import annotations

import array
import gc
import os
import signal
import socket

from tasks.sandbox.confine import PR_SET_DUMPABLE, prctl
from tasks.sandbox.supervisor import supervise

DESCRIPTORS = 3


def serve(requests: int) -> None:
    """Fork a supervisor for each request until the server has gone."""
    prctl("DUMPABLE", PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors report to the server, not here
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()
    gc.freeze()
    with socket.socket(fileno=requests) as channel:
        while fds := _receive(channel):
            if os.fork() == 0:
                channel.close()
                _be_supervisor(fds)
            for fd in fds:
                os.close(fd)


def _receive(channel: socket.socket) -> list[int]:
    """Return the descriptors of the next request; none when the server has gone."""
    room = socket.CMSG_LEN(DESCRIPTORS * array.array("i").itemsize)
    _, ancillary, _, _ = channel.recvmsg(1, room)
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data)
    return list(fds)


def _be_supervisor(fds: list[int]) -> None:
    try:
        supervise(*fds)
    finally:  # an exception, too, must not bring a second server of requests into being
        os._exit(0)
