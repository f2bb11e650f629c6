"""Many writers share a commit; one that fails takes no other with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from scheduler.errors import Unavailable
from scheduler.store import Database, sqlite_url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    store = Database(sqlite_url(tmp_path), tmp_path)
    store.write(lambda connection: connection.execute(text("CREATE TABLE notes (word TEXT UNIQUE)")) and None)
    yield store
    store.close()


def note(word: str) -> object:
    return lambda connection: connection.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word}) and None


def words(store: Database) -> list[str]:
    return store.read(lambda connection: list(connection.execute(text("SELECT word FROM notes")).scalars()))


def test_what_was_written_is_there(store: Database) -> None:
    store.write(note("a"))  # type: ignore[arg-type]
    assert words(store) == ["a"]


def test_units_that_wait_together_share_a_commit(store: Database) -> None:
    commits = 0

    @event.listens_for(store._write_engine, "commit")
    def count(_: Connection) -> None:
        nonlocal commits
        commits += 1

    held, let_go = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        held.set()
        let_go.wait(5)

    store.write_soon(hold, lambda _: None)
    assert held.wait(5)
    futures = [store._writer.submit(note(str(number))) for number in range(50)]  # type: ignore[arg-type]
    let_go.set()
    for future in futures:
        future.result(5)
    assert len(words(store)) == 50
    assert commits == 2


def test_a_failing_unit_takes_no_other_with_it(store: Database) -> None:
    held, let_go = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        held.set()
        let_go.wait(5)

    def fail(_: Connection) -> None:
        raise ValueError("no")

    store.write_soon(hold, lambda _: None)
    assert held.wait(5)
    good = [store._writer.submit(note(word)) for word in "ab"]  # type: ignore[arg-type]
    bad = store._writer.submit(fail)
    more = store._writer.submit(note("c"))  # type: ignore[arg-type]
    let_go.set()
    for future in [*good, more]:
        future.result(5)
    with pytest.raises(ValueError, match="no"):
        bad.result(5)
    assert words(store) == ["a", "b", "c"]


def test_done_is_told_of_the_error_and_may_itself_fail(store: Database, caplog: pytest.LogCaptureFixture) -> None:
    told: list[object] = []

    def done(outcome: object) -> None:
        told.append(outcome)
        raise RuntimeError("a careless listener")

    store.write(note("a"))  # type: ignore[arg-type]
    store.write_soon(note("a"), done)  # type: ignore[arg-type]
    store.write(note("b"))  # type: ignore[arg-type]
    assert "UNIQUE" in str(told[0])
    assert words(store) == ["a", "b"]
    assert "what should follow a write failed" in caplog.text


def test_after_closing_it_is_unavailable(tmp_path: Path) -> None:
    store = Database(sqlite_url(tmp_path), tmp_path)
    store.close()
    store.close()
    with pytest.raises(Unavailable) as refused:
        store.write(lambda connection: None)
    assert refused.value.code == "shutting_down"
