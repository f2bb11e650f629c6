"""Read the URL of a mail server: smtp://user:password@host:587/?starttls=1&from=scheduler@example.com."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

EXAMPLE = "smtp://user:password@mail.example.com:587/?starttls=1&from=scheduler@example.com"
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server. `tls` is from the first byte on; `starttls` of None encrypts where the server offers it."""

    host: str
    port: int
    tls: bool
    starttls: bool | None
    user: str | None
    password: SecretStr | None
    sender: str | None


def read_smtp_url(url: str) -> SmtpServer:
    """Read a URL; raise ValueError that does not repeat it, since it may hold a password."""
    try:
        parts = urlsplit(url)
        port, host, scheme = parts.port, parts.hostname, parts.scheme.lower()
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(f"is no URL of a mail server, such as '{EXAMPLE}'") from None
    if scheme not in _PORTS or not host:
        raise ValueError(f"must begin with smtp://HOST or smtps://HOST, such as '{EXAMPLE}'")
    starttls = options.pop("starttls", None)
    sender = options.pop("from", None)
    if options:
        raise ValueError(f"has the unknown option '{next(iter(options))}': starttls and from are known")
    if starttls not in (None, "0", "1"):
        raise ValueError("'starttls' must be 0 or 1")
    if sender is not None and ("@" not in sender or not sender.isprintable()):
        raise ValueError("'from' must be an address such as scheduler@example.com")
    return SmtpServer(
        host=host,
        port=port or (587 if scheme == "smtp" and parts.username else _PORTS[scheme]),
        tls=scheme == "smtps",
        starttls=None if starttls is None else starttls == "1",
        user=unquote(parts.username) if parts.username else None,
        password=SecretStr(unquote(parts.password)) if parts.password else None,
        sender=sender,
    )
