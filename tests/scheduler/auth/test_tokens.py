"""Named tokens: made once, kept as a hash, refused everywhere soon after they are revoked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.auth.scopes import Scope, read_scopes
from scheduler.auth.tokens import REMEMBERED_SECONDS, TokenBook, read_lifetime
from scheduler.errors import Conflict, InvalidRequest, NotFound, Unavailable
from scheduler.store import Database
from tests.owned_time import Time
from tests.scheduler.auth.test_attempts import Hand

READ = read_scopes(["read"])


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def make_book(tmp_path: Path, database_url: str, time: Time, clock: Hand) -> Iterator[Callable[[], TokenBook]]:
    """Return a function that opens the database as another process would."""
    opened: list[Database] = []

    def make() -> TokenBook:
        opened.append(Database(database_url, tmp_path))
        return TokenBook(opened[-1], time, clock)

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def book(make_book: Callable[[], TokenBook]) -> TokenBook:
    return make_book()


def is_good(book: TokenBook, shown: str) -> bool:
    row = book.find(shown)
    return row is not None and book.fault(row) is None


def test_a_token_is_found_by_whoever_has_all_of_it(book: TokenBook) -> None:
    shown, row = book.add("ci", read_scopes(["run", "read"]), None)
    found = book.find(shown)
    assert found == row
    assert found is not None
    caller = book.caller(found)
    assert (caller.name, caller.kind, caller.scopes) == ("ci", "token", {Scope.READ, Scope.RUN})


def test_nothing_else_is_a_token(book: TokenBook) -> None:
    shown, row = book.add("ci", READ, None)
    other, _ = book.add("other", READ, None)
    prefix, token_id, secret = shown.split("_", 2)
    wrong = [
        shown[:-1],
        shown + "x",
        shown.upper(),
        secret,
        row.digest,
        f"{prefix}_{token_id}_",
        f"{prefix}_{token_id}",
    ]
    wrong += [
        f"{prefix}_{token_id}_{other.split('_', 2)[2]}",
        f"{prefix}_{token_id}_{row.digest}",
        f"x_{token_id}_{secret}",
    ]
    wrong += ["", "_", "__", "ts__", "ts_%_%", "ts_\0_\0", "\udcff", f"ts_{token_id}_\udcff"]
    assert [text for text in wrong if book.find(text) is not None] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_secret_is_kept_nowhere(book: TokenBook, tmp_path: Path) -> None:
    shown, row = book.add("ci", READ, None)
    secret = shown.split("_", 2)[2]
    assert len(secret) == 43
    files = [path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()]
    assert any(row.digest.encode() in content for content in files)
    assert not any(secret.encode() in content for content in files)
    assert row.digest not in repr(row)


def test_every_token_is_another(book: TokenBook) -> None:
    made = [book.add(f"name{number}", READ, None)[0] for number in range(20)]
    assert len({text.split("_", 2)[2] for text in made}) == 20


def test_a_token_that_was_just_made_is_known_at_once(make_book: Callable[[], TokenBook]) -> None:
    server, shell = make_book(), make_book()
    assert not server.exist()
    shown, _ = shell.add("ci", READ, None)
    assert is_good(server, shown)


def test_a_revoked_token_is_refused_within_a_second_elsewhere(make_book: Callable[[], TokenBook], clock: Hand) -> None:
    assert REMEMBERED_SECONDS < 1
    server, shell = make_book(), make_book()
    shown, _ = shell.add("ci", READ, None)
    assert is_good(server, shown)
    assert shell.revoke("ci")
    clock.now += REMEMBERED_SECONDS
    row = server.find(shown)
    assert row is not None
    assert server.fault(row) == "was revoked"
    assert not shell.revoke("ci")


def test_the_store_is_not_asked_again_and_again(book: TokenBook, clock: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, _ = book.add("ci", READ, None)
    assert is_good(book, shown)
    looks: list[int] = []
    all_rows = book.all
    monkeypatch.setattr(book, "all", lambda: looks.append(1) or all_rows())  # type: ignore[func-returns-value]
    assert all(is_good(book, shown) for _ in range(100))
    assert looks == []
    clock.now += REMEMBERED_SECONDS
    assert is_good(book, shown)
    assert looks == [1]


def test_a_token_expires(book: TokenBook, time: Time) -> None:
    shown, _ = book.add("ci", READ, timedelta(days=30))
    time.move(days=30, microseconds=-1)
    assert is_good(book, shown)
    time.move(microseconds=1)
    row = book.find(shown)
    assert row is not None
    assert book.fault(row) == "has expired"


def test_the_end_of_the_last_token_does_not_open_the_door(book: TokenBook, clock: Hand, time: Time) -> None:
    book.add("ci", READ, timedelta(days=1))
    book.revoke("ci")
    clock.now += 1
    assert book.exist()
    time.move(days=2)
    assert book.exist()
    book.forget("ci")
    clock.now += 1
    assert not book.exist()


def test_a_name_is_taken_until_its_token_is_over(book: TokenBook) -> None:
    old, _ = book.add("ci", READ, None)
    with pytest.raises(Conflict, match="Revoke it first"):
        book.add("ci", READ, None)
    with pytest.raises(Conflict, match="still good"):
        book.forget("ci")
    book.revoke("ci")
    new, _ = book.add("ci", READ, None)
    assert not is_good(book, old)
    assert is_good(book, new)


def test_a_name_that_there_is_not(book: TokenBook) -> None:
    book.add("deploy", READ, None)
    for ask in (book.revoke, book.forget):
        with pytest.raises(NotFound, match="Did you mean 'deploy'"):
            ask("deplyo")


def test_where_the_store_does_not_answer_no_token_is_good(
    book: TokenBook, clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        looks.append(1)
        raise Unavailable("the store does not answer: gone.")

    shown, _ = book.add("ci", READ, None)
    assert is_good(book, shown)
    looks: list[int] = []
    monkeypatch.setattr(book, "all", fail)
    clock.now += REMEMBERED_SECONDS
    for _ in range(10):
        with pytest.raises(Unavailable, match="gone"):
            book.find(shown)
        assert book.exist()
    assert len(looks) == 1
    monkeypatch.undo()
    clock.now += REMEMBERED_SECONDS
    assert is_good(book, shown)


def test_where_it_never_answered_nobody_knows_whether_tokens_exist(
    book: TokenBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(book, "all", fail)
    with pytest.raises(Unavailable):
        book.exist()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        (" 30D ", timedelta(days=30)),
        ("8 w", timedelta(weeks=8)),
    ],
)
def test_spans(text: str, span: timedelta) -> None:
    assert read_lifetime(text) == span


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "1y", "1.5d", "tomorrow", "9999999d"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(InvalidRequest, match="30m, 12h, 30d, 8w"):
        read_lifetime(text)
