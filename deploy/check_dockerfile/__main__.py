"""Read the options, and do everything."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import check_dockerfile
from check_dockerfile.failure import Failure, Report
from check_dockerfile.host import Host
from check_dockerfile.image import Image, make_base, size_of
from check_dockerfile.steps import Ignored, read_steps
from check_dockerfile.trial import expect, try_service

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = os.environ.get("CHECK_DOCKERFILE_CACHE", "/var/tmp/check-dockerfile")


def check(options: argparse.Namespace) -> None:
    """Do everything."""
    context, log = options.context.resolve(), Report()
    ignore = context / ".dockerignore"
    ignored = Ignored(ignore.read_text() if ignore.exists() else "")
    steps = read_steps(options.file.read_text())
    if options.steps:
        for step in steps:
            log.line(f"{step.line:3} {step.word} {' '.join(f'--{k}={v}' for k, v in step.flags.items())} {step.rest}")
        return
    missing = [name for name in ("debootstrap", "unshare", "chroot", "mount") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise Failure(f"needs root, and {', '.join(missing) or 'nothing'} is missing (apt-get install debootstrap)")
    whole = time.monotonic()
    options.cache.mkdir(parents=True, exist_ok=True)
    # Released by the kernel however this program ends. Whoever has it may clear what a killed one left.
    lock = os.open(options.cache / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for left in [*options.cache.glob("check-*"), *options.cache.glob("draft-*")]:
        shutil.rmtree(left, ignore_errors=True)
    base = make_base(steps[0].rest.split()[0], options.cache, log)
    with tempfile.TemporaryDirectory(prefix="check-", dir=options.cache) as place:
        folder = Path(place)
        folder.chmod(0o755)
        root = folder / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root)], check=True)
        (folder / "host").mkdir()
        host = Host(folder / "host")
        host.prepare()
        image = Image(root, host)
        before = at_first = size_of(root)
        for step in steps[1:]:
            started = time.monotonic()
            image.apply(step, context, ignored)
            if step.word in ("RUN", "COPY"):
                after = size_of(root)
                log.line(f"line {step.line}: {step.word} {shorten(step.rest)} {after - before:+.1f} MB", started)
                before = after
        log.line(f"the steps add {before - at_first:.0f} MB to the base")
        expect("user", image.user == "0:0", False)
        if image.health is None:
            raise Failure("there is no HEALTHCHECK")
        (folder / "volumes").mkdir()
        try_service(image, folder / "volumes", log)
    log.line("all is well", whole)


def shorten(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) < 60 else text[:57] + "..."


def main() -> int:
    """Read the options, and say what is wrong in a line rather than a traceback."""
    parser = argparse.ArgumentParser(
        prog="deploy/check-dockerfile",
        description=check_dockerfile.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--file", type=Path, default=REPOSITORY / "Dockerfile", help="the Dockerfile")
    parser.add_argument("--context", type=Path, default=REPOSITORY, help="the folder that COPY copies from")
    parser.add_argument(
        "--cache", type=Path, default=Path(CACHE), help="where the base is kept [CHECK_DOCKERFILE_CACHE]"
    )
    parser.add_argument("--steps", action="store_true", help="only print the steps, as understood")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        check(parser.parse_args())
    except Failure as failure:
        print(f"check-dockerfile: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
