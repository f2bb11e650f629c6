"""Fork supervisors when the server asks for one.

One process, single-threaded, started by the server with nothing of the server's in its memory. A
fork of it costs a third of what a new interpreter costs. A request is one message that carries the
supervisor's control socket, where the rest is said. Only the standard library is at hand.
"""

from __future__ import annotations

import array
import gc
import os
import signal
import socket

from tasks.sandbox.confine import PR_SET_DUMPABLE, prctl
from tasks.sandbox.supervisor import supervise


def serve(requests: int) -> None:
    """Fork a supervisor for each request until the server has gone."""
    prctl("DUMPABLE", PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors report to the server, not here
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()
    gc.freeze()
    with socket.socket(fileno=requests) as channel:
        while (control := _receive(channel)) is not None:
            if os.fork() == 0:
                channel.close()
                _be_supervisor(control)
            os.close(control)


def _receive(channel: socket.socket) -> int | None:
    """Return the control socket of the next supervisor; None when the server has gone."""
    fds = array.array("i")
    _, ancillary, _, _ = channel.recvmsg(1, socket.CMSG_LEN(fds.itemsize), socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data)
    return fds[0] if fds else None


def _be_supervisor(control: int) -> None:
    try:
        supervise(control)
    finally:  # an exception, too, must not bring a second server of requests into being
        os._exit(0)
