"""Serve the pages' styles and modules under a name that changes with what they say, so that they are kept for good."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Request, Response

FOLDER = Path(__file__).with_name("static")
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?from "\./([\w.-]+\.js)"|^import "\./([\w.-]+\.js)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: what it says, plain and compressed."""

    mimetype: str
    data: bytes
    compressed: bytes
    imports: tuple[str, ...]


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Return all files by name; they belong to the code, and change when that does."""
    return {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


@lru_cache(maxsize=1)
def version() -> str:
    """Return the sum over all files: modules import one another by name, so all of them share one folder."""
    told = hashlib.sha256()
    for name, asset in assets().items():
        told.update(f"{name}\0{len(asset.data)}\0".encode() + asset.data)
    return told.hexdigest()[:16]


def asset_path(name: str) -> str:
    """Return where a file is served; KeyError where there is none of that name."""
    assets()[name]
    return f"/static/{version()}/{name}"


def modules_of(*names: str) -> list[str]:
    """Return what modules import, and what that imports: a browser that is told loads all of it at once."""
    found: dict[str, None] = {}
    left = [name for name in names if name]
    while left:
        for name in assets()[left.pop(0)].imports:
            if name not in found:
                found[name] = None
                left.append(name)
    return [name for name in found if name not in names]


def send_asset(request: Request, sum_: str, name: str) -> Response | None:
    """Return a file, or None where there is none of that name and sum."""
    asset = assets().get(name)
    if asset is None or sum_ != version():
        return None
    takes_gzip = request.accept_encodings["gzip"] > 0
    response = Response(asset.compressed if takes_gzip else asset.data, mimetype=asset.mimetype)
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOREVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _read(path: Path) -> Asset:
    data = path.read_bytes()
    imports = [first or second for first, second in _IMPORT.findall(data.decode())] if path.suffix == ".js" else []
    return Asset(TYPES[path.suffix], data, gzip.compress(data, 9, mtime=0), tuple(imports))
