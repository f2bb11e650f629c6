"""Send a message as e-mail through the mail server of the settings."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig
from scheduler.notify.notifier import Message, NotSent
from scheduler.smtp_url import SmtpServer

SECONDS = 20.0
ENCODED_WORD = "=?"
"""How an encoded word (RFC 2047) begins."""


def send(message: Message, target: Target, config: SchedulerConfig) -> str:
    """Send a message."""
    server = config.smtp
    if server is None:
        raise NotSent("no mail server is set (SCHEDULER_SMTP_URL)")
    if ENCODED_WORD in target.address:  # kept before such addresses were refused
        raise NotSent("the address has an encoded word, which could be read as another address")
    letter = compose(message, target.address, server.sender or f"task-scheduler@{socket.getfqdn()}")
    try:
        with _connect(server) as connection:
            _secure(connection, server)
            connection.send_message(letter, to_addrs=[target.address])
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"the mail server answered {error.smtp_code} {_text(error.smtp_error)}") from error
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise NotSent(f"the mail server refused the recipient: {code} {_text(text)}") from error
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise NotSent(f"the mail server {server.host}:{server.port} could not be used: {error}") from error
    return "taken by the mail server"


def compose(message: Message, recipient: str, sender: str) -> EmailMessage:
    """Return the letter. Its Message-ID is the same at each attempt, by which many mailboxes know a double."""
    letter = EmailMessage()
    letter["Subject"] = _plain(" ".join(message.subject.split()))
    letter["From"] = sender
    letter["To"] = recipient
    letter["Date"] = format_datetime(message.created_at)
    letter["Message-ID"] = f"<{message.delivery_id}@{sender.partition('@')[2].rstrip('>') or 'localhost'}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    return letter


def _plain(text: str) -> str:
    """Return a text without encoded words: EmailMessage decodes them, line breaks and all."""
    return text.replace(ENCODED_WORD, " ".join(ENCODED_WORD))


def _connect(server: SmtpServer) -> smtplib.SMTP:
    if server.tls:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(server.host, server.port, timeout=SECONDS)


def _secure(connection: smtplib.SMTP, server: SmtpServer) -> None:
    """Encrypt as the settings say, and log in; a password is not sent in the clear unless they say `starttls=0`."""
    connection.ehlo()
    encrypted = server.tls
    if not encrypted and (server.starttls or (server.starttls is None and connection.has_extn("starttls"))):
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
        encrypted = True
    if server.user is None or server.password is None:
        return
    if not encrypted and server.starttls is None:
        raise NotSent("the mail server offers no encryption, so no password is sent; starttls=0 would allow it")
    connection.login(server.user, server.password.get_secret_value())


def _text(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:200]
