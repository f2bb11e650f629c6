"""Read the hosts that settings name: where to listen, and which names requests may carry."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

_NAME = re.compile(r"[^\s:/@\[\]*?#]+")
_WITH_PORT = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<port>[0-9]+))?")


def _listen_host(text: str) -> str:
    host = text.strip()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (_is_ipv6(bare) or (bare == host and _NAME.fullmatch(host))):
        raise ValueError(
            f"'{text}' is no address: write '127.0.0.1', '::1', '0.0.0.0' for all, or a name, without scheme and port"
        )
    return bare


def _request_host(text: str) -> str:
    host = text.strip()
    match = _WITH_PORT.fullmatch(host)
    name = match["host"] if match is not None else ""
    if not (_is_ipv6(host) or _NAME.fullmatch(name) or (name.startswith("[") and _is_ipv6(name[1:-1]))):
        raise ValueError(
            f"'{text}' is no Host: write a name or address, with or without a port, such as 'scheduler' or "
            "'scheduler:10800'; neither a URL nor a pattern is one"
        )
    return host


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


ListenHost = Annotated[str, AfterValidator(_listen_host)]
"""An address to listen on, or a name of one; of IPv6 without the brackets that URLs have."""
RequestHost = Annotated[str, AfterValidator(_request_host)]
"""What the header Host may carry: a name or an address, with or without a port."""
