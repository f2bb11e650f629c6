"""Each notifier against a real receiver: what arrives, and what is said where nothing does."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from scheduler.alerts import Target, read_target
from scheduler.config import SchedulerConfig
from scheduler.ids import as_uuid, new_run_id
from scheduler.notify import NOTIFIERS, web
from scheduler.notify.email import compose
from scheduler.notify.notifier import Message, NotSent, deliver
from scheduler.notify.ping import ping_url
from tests.owned_time import NOON
from tests.receivers import Mailbox, Receiver, mail_receiver
from tests.server import free_port

SECRET = "a secret of 16 characters"
RUN_ID = new_run_id(NOON)


def message(kind: str = "failure", **fields: Any) -> Message:
    facts = {"run": {"run_id": RUN_ID}, "count": 1, "output": "ü"}
    return Message(
        **{
            "delivery_id": "01d",
            "kind": kind,
            "task_id": "nightly",
            "created_at": NOON,
            "subject": "nightly failed – ü",
            "text": "it failed\nü\n",
            "facts": facts,
            **fields,
        }
    )


def config(**settings: Any) -> SchedulerConfig:
    return SchedulerConfig(**{"timezone": "UTC", "webhook_secret": SECRET, **settings})


def send(target: Target, told: Message | None = None, **settings: Any) -> str:
    return NOTIFIERS[target.kind](told or message(), target, config(**settings))


# --- webhooks ----------------------------------------------------------------------------------


def test_a_webhook_is_signed_over_timestamp_and_body(receiver: Receiver) -> None:
    assert send(Target("webhook", f"{receiver.url}/hook?a=1")) == "HTTP 200"
    [got] = receiver.received
    timestamp = got.headers["X-Scheduler-Timestamp"]
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Scheduler-Signature"] == f"v1={expected}"
    assert got.headers["X-Scheduler-Delivery"] == got.json["id"] == "01d"
    assert got.headers["X-Scheduler-Event"] == got.json["kind"] == "failure"
    assert got.headers["Content-Type"] == "application/json"
    assert got.path == "/hook?a=1"
    assert got.json["created_at"] == "2026-06-01T12:00:00+00:00"
    assert (got.json["subject"], got.json["text"]) == ("nightly failed – ü", "it failed\nü\n")


def test_a_target_may_have_a_secret_of_its_own(receiver: Receiver) -> None:
    send(read_target({"webhook": receiver.url, "secret": "mine"}, with_secret=True))
    [got] = receiver.received
    signed = got.headers["X-Scheduler-Timestamp"].encode() + b"." + got.body
    assert got.headers["X-Scheduler-Signature"] == f"v1={hmac.new(b'mine', signed, hashlib.sha256).hexdigest()}"


def test_body_and_id_are_the_same_at_each_attempt(receiver: Receiver) -> None:
    for _ in range(2):
        send(Target("webhook", receiver.url))
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["X-Scheduler-Delivery"] == second.headers["X-Scheduler-Delivery"]


@pytest.mark.parametrize(
    ("status", "says"), [(500, "HTTP 500"), (404, "HTTP 404"), (302, "redirects are not followed")]
)
def test_an_answer_that_is_no_success(receiver: Receiver, status: int, says: str) -> None:
    receiver.status = status
    with pytest.raises(NotSent, match=says):
        send(Target("webhook", receiver.url))
    assert len(receiver.received) == 1


def test_a_receiver_that_does_not_listen_or_answer(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotSent, match="refused") as caught:
        send(Target("webhook", f"http://user:hunter2@127.0.0.1:{free_port()}/"))
    assert "hunter2" not in str(caught.value)
    monkeypatch.setattr(web, "ANSWER_SECONDS", 0.1)
    receiver.gate.clear()
    with pytest.raises(NotSent, match="no answer within"):
        send(Target("webhook", receiver.url))
    receiver.gate.set()


def test_a_name_and_password_in_a_url_are_sent_as_basic_auth_and_nothing_from_netrc(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    send(Target("webhook", receiver.url))
    send(Target("webhook", receiver.url.replace("http://", "http://me:word@")))
    assert [got.headers.get("Authorization") for got in receiver.received] == [None, "Basic bWU6d29yZA=="]


def test_a_password_may_have_any_letters(receiver: Receiver) -> None:
    send(Target("webhook", receiver.url.replace("http://", "http://me:p%E2%82%AC@")))
    assert receiver.received[0].headers["Authorization"] == f"Basic {b64encode('me:p€'.encode()).decode()}"


@pytest.mark.parametrize("url", ["http://a..b/", f"http://{'a' * 64}.example/"])
def test_what_no_notifier_expects_is_not_sent_and_tells_no_secret(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NotSent, match="could not be sent"):
        deliver(NOTIFIERS["webhook"], message(), Target("webhook", url), config())
    assert "urllib3" in caplog.text
    assert url not in caplog.text


def test_nothing_is_sent_unsigned(receiver: Receiver) -> None:
    with pytest.raises(NotSent, match="SCHEDULER_WEBHOOK_SECRET"):
        send(Target("webhook", receiver.url), webhook_secret=None)
    assert not receiver.received


# --- pings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "path"),
    [("ping.start", "/ping/1/start"), ("ping.success", "/ping/1"), ("ping.fail", "/ping/1/fail"), ("test", "/ping/1")],
)
def test_pings(receiver: Receiver, kind: str, path: str) -> None:
    send(Target("ping", f"{receiver.url}/ping/1"), message(kind))
    [got] = receiver.received
    assert got.path == f"{path}?rid={as_uuid(RUN_ID)}"
    assert got.body.decode() == "it failed\nü\n"


def test_the_url_of_a_ping_keeps_its_query() -> None:
    url = "https://u:p@hc.example.com/key/slug/?create=1"
    assert ping_url(url, "ping.fail", None) == "https://u:p@hc.example.com/key/slug/fail?create=1"


def test_a_run_id_has_a_form_as_uuid() -> None:
    assert as_uuid("0" * 26) == "00000000-0000-0000-0000-000000000000"
    assert as_uuid("7" + "z" * 25) == "ffffffff-ffff-ffff-ffff-ffffffffffff"


# --- e-mail ------------------------------------------------------------------------------------

OPS = Target("mailto", "ops@example.com")


def test_a_letter(mailbox: Mailbox) -> None:
    assert send(OPS, smtp_url=mailbox.url) == "taken by the mail server"
    [letter] = mailbox.letters
    assert letter["Subject"] == "nightly failed – ü"
    assert (letter["From"], letter["To"]) == ("scheduler@example.com", "ops@example.com")
    assert letter["Message-ID"] == "<01d@example.com>"
    assert letter["Date"].datetime == NOON
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().replace("\r\n", "\n") == "it failed\nü\n"


def test_a_subject_cannot_add_headers() -> None:
    letter = compose(message(subject="x\r\nBcc: evil@example.com"), "ops@example.com", "a@b.c")
    assert letter["Bcc"] is None
    assert letter["Subject"] == "x Bcc: evil@example.com"


ENCODED = "=?utf-8?q?hello=0d=0aBcc=3a_evil=40example.com?="


def test_an_encoded_word_becomes_no_header_and_no_recipient(mailbox: Mailbox) -> None:
    send(OPS, message(subject=ENCODED), smtp_url=mailbox.url)
    [letter] = mailbox.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == ENCODED.replace("=?", "= ?")
    address = "a@=?utf-8?q?b=0d=0aBcc=3a_x=40y=2ez?="
    with pytest.raises(ValueError, match="address"):
        read_target(f"mailto:{address}", with_secret=False)
    with pytest.raises(NotSent, match="encoded word"):
        send(Target("mailto", address), smtp_url=mailbox.url)


def test_a_recipient_that_is_refused(mailbox: Mailbox) -> None:
    with pytest.raises(NotSent, match="refused the recipient: 550 no such mailbox"):
        send(Target("mailto", "ops@refused.example"), smtp_url=mailbox.url)


def test_no_mail_server() -> None:
    with pytest.raises(NotSent, match="could not be used"):
        send(OPS, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(NotSent, match="SCHEDULER_SMTP_URL"):
        send(OPS)


in_the_clear = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.fixture
def guarded() -> Iterator[Callable[[str], str]]:
    """Return a function that makes the URL of a mail server that wants a password, and takes it in the clear."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"me", b"pass word"), handled=False)

    with mail_receiver(authenticator=authenticate, auth_require_tls=False, auth_required=True) as found:
        yield lambda start: found.url.replace("smtp://", f"smtp://{start}@").replace("?", "?starttls=0&")


@in_the_clear
def test_a_mail_server_that_wants_a_password(guarded: Callable[[str], str]) -> None:
    assert send(OPS, smtp_url=guarded("me:pass%20word"))
    with pytest.raises(NotSent, match="535") as caught:
        send(OPS, smtp_url=guarded("me:hunter2"))
    assert "hunter2" not in str(caught.value)


@in_the_clear
def test_a_password_is_not_sent_in_the_clear(guarded: Callable[[str], str]) -> None:
    with pytest.raises(NotSent, match="no password is sent"):
        send(OPS, smtp_url=guarded("me:pass%20word").replace("starttls=0&", ""))


def test_a_certificate_that_nobody_vouches_for_is_refused(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotSent, match="could not be used"):
        send(OPS, smtp_url=mailbox.url.replace("?", "?starttls=1&"))
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


# --- Apprise -----------------------------------------------------------------------------------


its_own = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@its_own
def test_apprise_brings_a_message_to_a_service(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "json://")
    assert "taken by the service" in send(Target("apprise", f"{url}/hook"))
    [got] = receiver.received
    assert (got.json["title"], got.json["message"]) == ("nightly failed – ü", "it failed\nü")
    assert got.json["type"] == "failure"
    receiver.status = 500
    with pytest.raises(NotSent, match="did not take it"):
        send(Target("apprise", f"{url}/hook"))


@its_own
def test_a_url_that_apprise_does_not_understand() -> None:
    with pytest.raises(NotSent, match="does not understand"):
        send(Target("apprise", "nosuchservice://x"))
