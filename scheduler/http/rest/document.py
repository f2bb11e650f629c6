"""Serve what describes the service: /openapi.json for programs, /docs for people."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Request, Response, render_template, request

from scheduler.auth.scopes import Scope
from scheduler.http.answers import MIMETYPE
from scheduler.http.rest.compression import compressed
from scheduler.http.rest.openapi import document

STYLE = Path(__file__).parents[1] / "templates" / "docs.css"


def add_document(app: Flask, admit: Callable[[Request, Scope], object], options: Mapping[str, Any]) -> None:
    """Serve the document and the page that is made from it."""

    @app.get("/openapi.json", **options)
    def openapi() -> Response:
        admit(request, Scope.READ)
        return compressed(request, Response(document(), mimetype=MIMETYPE))

    @app.get("/docs", **options)
    def docs() -> Response:
        admit(request, Scope.READ)
        style, digest = _style()
        response = Response(render_template("docs.html", spec=_spec(), style=style), mimetype="text/html")
        # The page loads nothing and runs nothing; its one style is known by its sum.
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


@lru_cache(maxsize=1)
def _spec() -> dict[str, Any]:
    spec: dict[str, Any] = orjson.loads(document())
    return spec


@lru_cache(maxsize=1)
def _style() -> tuple[str, str]:
    style = STYLE.read_text()
    return style, b64encode(hashlib.sha256(style.encode()).digest()).decode()
