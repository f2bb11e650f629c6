"""Carry the steps out in a root, each in namespaces of its own."""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from check_dockerfile.failure import Failure, Report
from check_dockerfile.host import Host, mirror
from check_dockerfile.steps import Ignored, Step, expand, pairs

BASES = {"debian:bookworm-slim": "bookworm"}
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


ENTER = r"""
set -e
root=$1; shift
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
    case $1 in
        read-only) mount --rbind "$root" "$root"; mount -o remount,bind,ro "$root" ;;
        tmpfs) mkdir -p "$root$2"; mount -t tmpfs tmpfs "$root$2"; shift ;;
        bind)
            if [ -d "$2" ]; then
                mkdir -p "$root$3"
            elif [ ! -e "$root$3" ]; then
                mkdir -p "$(dirname "$root$3")"; : > "$root$3"
            fi
            mount --bind "$2" "$root$3"; shift 2 ;;
    esac
    shift
done
shift
exec "$@"
"""


@dataclass
class Image:
    """The root with what an engine would remember beside it."""

    root: Path
    host: Host
    env: dict[str, str] = field(default_factory=lambda: {"PATH": DEFAULT_PATH})
    args: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    health: Step | None = None
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def inside(self, command: list[str], mounts: list[str], user: str, confined: bool = False) -> list[str]:
        """Return the command line that runs a command in the root, in namespaces of its own."""
        uid, _, gid = user.partition(":")
        drop = [f"--reuid={uid}", f"--regid={gid or uid}", "--clear-groups"]
        if confined:
            drop += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation=private"]
        at = ["sh", "-c", 'cd "$0" && exec "$@"', self.workdir]
        as_user = ["chroot", str(self.root), "/usr/bin/setpriv", *drop, "--", *at]
        return [*enter, "sh", "-c", ENTER, "sh", str(self.root), *mounts, "--", *as_user, *command]

    def run(self, step: Step) -> None:
        """Carry a RUN out, with this machine's way to its registries."""
        mounts = ["tmpfs", "/run/host", "bind", str(self.host.folder), "/run/host"]
        for source, target in self.host.binds.items():
            mounts += ["bind", source, target]
        env = {**self.args, **self.env, **self.host.variables, "HOME": "/root"}
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                self.inside(step.command(), mounts, self.user), env=env, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, check=False, preexec_fn=die_with_parent,
            )  # fmt: skip
            if done.returncode:
                output.seek(0)
                tail = "".join(output.readlines()[-40:])
                raise Failure(f"line {step.line}: the step ended with {done.returncode}:\n{tail}")

    def copy(self, step: Step, context: Path, ignored: Ignored) -> None:
        """Carry a COPY out: files of the context that .dockerignore leaves in."""
        *sources, target = step.exec_form() or shlex.split(expand(step.rest, self.env | self.args, step.line))
        to_folder = target.endswith("/") or len(sources) > 1
        base = self.root / os.path.join(self.workdir, target).lstrip("/")
        for source in sources:
            start = context / source.strip("/")
            files = sorted(path for path in start.rglob("*") if path.is_file()) if start.is_dir() else [start]
            kept = [path for path in files if path.is_file() and not ignored(str(path.relative_to(context)))]
            if not kept:
                raise Failure(f"line {step.line}: COPY finds no '{source}' in the context (see .dockerignore)")
            for path in kept:
                inner = path.relative_to(start) if start.is_dir() else Path(path.name if to_folder else "")
                place = base / inner
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
                place.chmod(int(step.flags.get("chmod", "0"), 8) or path.stat().st_mode & 0o755)
                if "chown" in step.flags:
                    uid, _, gid = step.flags["chown"].partition(":")
                    os.chown(place, int(uid), int(gid or uid))

    def apply(self, step: Step, context: Path, ignored: Ignored) -> None:
        """Carry one instruction out."""
        known = {**self.args, **self.env}
        if step.word == "RUN":
            self.run(step)
        elif step.word == "COPY":
            self.copy(step, context, ignored)
        elif step.word == "ENV":
            self.env |= {name: expand(value, known, step.line) for name, value in pairs(step).items()}
        elif step.word == "ARG":
            self.args |= {name: expand(value, known, step.line) for name, value in pairs(step).items()}
        elif step.word == "LABEL":
            pairs(step)
        elif step.word == "WORKDIR":
            self.workdir = os.path.join(self.workdir, expand(step.rest, known, step.line))
            (self.root / self.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif step.word == "USER":
            self.user = self._numeric(expand(step.rest, known, step.line), step.line)
        elif step.word == "VOLUME":
            self.volumes += step.exec_form() or step.rest.split()
        elif step.word == "EXPOSE":
            self.ports += expand(step.rest, known, step.line).split()
        elif step.word == "STOPSIGNAL":
            self.stop_signal = step.rest
        elif step.word == "HEALTHCHECK":
            self._set_health(step)
        elif step.word == "ENTRYPOINT":
            self.entrypoint = step.command()
        elif step.word == "CMD":
            self.command = step.command()

    def _set_health(self, step: Step) -> None:
        word, _, rest = step.rest.partition(" ")
        if word != "CMD":
            raise Failure(f"line {step.line}: HEALTHCHECK must be followed by CMD")
        self.health = Step(step.line, "CMD", step.flags, rest.strip())

    def _numeric(self, user: str, line: int) -> str:
        if not re.fullmatch(r"\d+:\d+", user):
            raise Failure(f"line {line}: write USER as uid:gid in numbers, so that an engine can tell it is not root")
        return user


def make_base(image: str, cache: Path, log: Report) -> Path:
    """Return a root of the base, made by debootstrap unless one is in the cache."""
    if image not in BASES:
        raise Failure(f"FROM {image} is not known here; known: {', '.join(BASES)}")
    suite = BASES[image]
    base = cache / f"base-{suite}"
    if base.exists():
        log.line(f"base {suite} from {base}")
        return base
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=cache))
    started = time.monotonic()
    try:
        with (draft / "log").open("w") as output:
            command = ["debootstrap", "--variant=minbase", suite, str(draft / "root"), *mirror(suite)]
            # In a mount namespace of its own: what debootstrap mounts goes with it.
            alone = ["unshare", "--mount", "--propagation=private", *command]
            done = subprocess.run(alone, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            tail = "".join((draft / "log").read_text().splitlines(keepends=True)[-20:])
            raise Failure(f"debootstrap ended with {done.returncode}:\n{tail}")
        for path in (draft / "root/var/cache/apt/archives").glob("*.deb"):
            path.unlink()
        shutil.rmtree(draft / "root/var/lib/apt/lists")
        # debootstrap hands these of this machine on; an image has none of its own.
        for name in ("resolv.conf", "hostname"):
            (draft / "root/etc" / name).unlink(missing_ok=True)
        (draft / "root").rename(base)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log.line(f"base {suite} made by debootstrap", started)
    return base


def size_of(root: Path) -> float:
    """Return the MB that a root takes, without what apt caches here and in an engine's base image does not."""
    command = ["du", "-sxk", "--exclude=var/cache/apt", str(root)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(found.split()[0]) / 1024


def die_with_parent() -> None:
    """Let the kernel kill this process when the one that started it is gone, even by SIGKILL."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
