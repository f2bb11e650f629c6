"""Try from inside a run what the confinement claims to prevent."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tasks.results import TaskResult
from tasks.sandbox.output import read_output, remove_output
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.plain import PlainSandbox
from tasks.sandbox.spec import RunSpec

PROBE = """
import ctypes, errno, json, os, socket, sys
canary, server, attempts = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
libc = ctypes.CDLL(None, use_errno=True)

def read_data(): open(canary).read()
def list_data(): os.listdir(os.path.dirname(canary))
def write_data(): open(canary + ".planted", "w").close()
def signal_server(): os.kill(server, 0)
def open_socket(*kind): socket.socket(*kind).close()
def call(number, *args):
    if libc.syscall(number, *args) < 0 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
        raise PermissionError(number)

actions = {
    "read the data directory": read_data,
    "list the data directory": list_data,
    "write into the data directory": write_data,
    "signal the server": signal_server,
    "open a netlink socket": lambda: open_socket(16, socket.SOCK_RAW, 0),
    "open a kernel-crypto socket": lambda: open_socket(38, socket.SOCK_SEQPACKET, 0),
    "open a packet socket": lambda: open_socket(17, socket.SOCK_RAW, 0),
    "open an internet socket": lambda: open_socket(socket.AF_INET, socket.SOCK_STREAM),
    "make a user namespace": lambda: call({unshare}, 0x10000000),
    "set up io_uring": lambda: call(425, 0, 0),
}
succeeded = []
for name in attempts:
    try:
        actions[name]()
    except OSError:
        continue
    succeeded.append(name)
print(json.dumps({"done": True, "succeeded": succeeded}))
""".replace("{unshare}", {"x86_64": "272"}.get(os.uname().machine, "97"))

FILES = ("read the data directory", "list the data directory", "write into the data directory")
CALLS = (
    *("open a netlink socket", "open a kernel-crypto socket", "open a packet socket"),
    *("make a user namespace", "set up io_uring"),
)

Opener = Callable[[RunSpec], AbstractContextManager[PlainSandbox]]


def run_self_test(opener: Opener, allowed: AllowedDirs, data_dir: Path, told: Mapping[str, Any]) -> list[str]:
    """Return what a run could do although it should not; an empty list where all holds.

    A probe that does not come to its end is a fault too.
    """
    spec = RunSpec(
        run_id=f"self-test-{secrets.token_hex(4)}",
        task_id="self-test",
        scheduled_for="",
        attempt=1,
        timezone="UTC",
        allowed=allowed,
        working_directory=None,
        env={},
        timeout_seconds=20,
        log_dir=data_dir / "self-test",
        tmp_root=data_dir / "self-test-tmp",
    )
    canary = data_dir / f"{spec.run_id}.canary"
    canary.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    canary.write_text("a run must not read this")
    os.chmod(canary, 0o600)
    try:
        with opener(spec) as sandbox:
            arguments = [str(canary), str(os.getpid()), ",".join(_claims(told))]
            result = sandbox.run([sandbox.python, "-I", "-S", "-c", PROBE, *arguments])
        return _faults(result, read_output(spec.log_dir, spec.run_id, "stdout").text)
    finally:
        canary.unlink()
        canary.with_name(canary.name + ".planted").unlink(missing_ok=True)
        remove_output(spec.log_dir, spec.run_id)


def _claims(told: Mapping[str, Any]) -> list[str]:
    """Return what must fail at this level."""
    landlock = str(told["level"]).startswith("landlock")
    other_user = told["uid"] != os.geteuid()
    claims = list(CALLS)
    if landlock or other_user:
        claims += FILES
    if other_user or (landlock and "signal-scope" not in told["missing"]):
        claims.append("signal the server")
    if told["net"] == "none":
        claims.append("open an internet socket")
    return claims


def _faults(result: TaskResult, printed: str) -> list[str]:
    try:
        answer = json.loads(printed)
        succeeded = answer["succeeded"] if answer["done"] is True else ["end in an unknown way"]
    except (ValueError, KeyError, TypeError):
        return [f"the probe did not run: {result.reason or 'it printed nothing'}"]
    return [f"a run could {name}" for name in succeeded]
