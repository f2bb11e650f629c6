"""Fixtures of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.receivers import Mailbox, Receiver, http_receiver, mail_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return an HTTP server."""
    with http_receiver() as found:
        yield found


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Return a mail server."""
    with mail_receiver() as found:
        yield found
