"""Find this machine's way to its registries, and lend it to the steps."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

NETWORK_NAMES = re.compile(
    r"PIP_\w+|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(?:http|https|no|all|ftp)_proxy", re.IGNORECASE
)
APT_NAMES = re.compile(r"Acquire::(?:http|https|Check-Valid-Until|Check-Date|Retries)\b.*")


@dataclass
class Host:
    """This machine's way to its registries: a folder of files, mounts, and variables for the steps."""

    folder: Path
    binds: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Gather it; nothing of it is printed, since proxies and indexes may carry passwords."""
        for name, value in os.environ.items():
            if NETWORK_NAMES.fullmatch(name):
                self.variables[name] = self._moved(value)
        (self.folder / "pip.conf").write_text(self._pip_settings())
        self.variables["PIP_CONFIG_FILE"] = "/run/host/pip.conf"
        if shutil.which("apt-config"):
            self.folder.joinpath("apt.conf").write_text(self._apt_settings())
            self.variables["APT_CONFIG"] = "/run/host/apt.conf"
            if Path("/etc/apt/auth.conf.d").is_dir():
                self.binds["/etc/apt/auth.conf.d"] = "/etc/apt/auth.conf.d"
        self.binds |= names_of_hosts()

    def _moved(self, value: str) -> str:
        """Return a setting's value with the paths of this machine moved to where the root sees them."""
        words = []
        for word in value.split():
            local = urlsplit(word).path if word.startswith("file://") else word
            if local.startswith("/") and Path(local).exists():
                # A folder of an index points to files beside it.
                source = str(Path(local).parent) if word.startswith("file://") else local
                self.binds[source] = f"/run/host{source}"
                word = word.replace(local, f"/run/host{local}", 1)
            words.append(word)
        return " ".join(words)

    def _pip_settings(self) -> str:
        listing = [sys.executable, "-m", "pip", "config", "list"]
        found = subprocess.run(listing, capture_output=True, text=True, check=False)
        sections: dict[str, list[str]] = {}
        for line in found.stdout.splitlines():
            match = re.fullmatch(r"([a-z]+)\.([\w-]+)=(.*)", line)
            if match:  # those of the environment begin with a colon
                value = self._moved(str(ast.literal_eval(match[3])))
                sections.setdefault(match[1], []).append(f"{match[2]} = {value}")
        return "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items())

    def _apt_settings(self) -> str:
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        lines = []
        for line in dump.splitlines():
            if APT_NAMES.match(line):
                name, _, value = line.partition(" ")
                lines.append(f'{name} "{self._moved(value[1:-2])}";')
        return "\n".join(lines) + "\n"


def names_of_hosts() -> dict[str, str]:
    """Return the files that an engine, too, hands to every container."""
    return {path: path for path in ("/etc/resolv.conf", "/etc/hosts") if Path(path).exists()}


def mirror(suite: str) -> list[str]:
    """Return the mirror that this machine's apt uses for a suite, or nothing: debootstrap knows one."""
    if shutil.which("apt-get") is None:
        return []
    form = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Suite: {suite}"]
    codename = [*form[:-1], f"Codename: {suite}"]
    for command in (form, codename):
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
        if found:
            return [found[0]]
    return []
