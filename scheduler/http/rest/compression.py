"""Send large answers compressed to whoever takes that."""

from __future__ import annotations

import gzip

from flask import Request, Response

LARGE = 8 * 1024
"""Below it compressing takes longer than sending."""
LEVEL = 1
TYPES = ("application/json", "text/html")


def compressed(request: Request, response: Response) -> Response:
    """Return the answer, compressed where it is large JSON or a page and the caller takes gzip.

    One that carries an ETag stays as it is: the tag is that of these very bytes.
    """
    if response.mimetype not in TYPES or "ETag" in response.headers or request.method == "HEAD":
        return response
    response.headers["Vary"] = "Accept-Encoding"
    data = response.get_data()
    if len(data) < LARGE or request.accept_encodings["gzip"] <= 0:
        return response
    response.set_data(gzip.compress(data, LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    return response
