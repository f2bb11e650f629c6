"""Many writers share a commit; one that fails takes no other with it."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, event, select, text

from scheduler.errors import Unavailable
from scheduler.store import Database, sqlite_url
from scheduler.store import writer as writer_module
from scheduler.store.tables import state
from tests.refusing import busy, refusing


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


def test_a_commit_that_fails_leaves_nothing_for_the_next_to_commit(tmp_path: Path, database_url: str) -> None:
    store = Database(database_url, tmp_path)
    store.write(lambda connection: connection.execute(text("CREATE TABLE notes (word TEXT UNIQUE)")) and None)
    with refusing(store), pytest.raises(Unavailable):
        store.write(note("lost"))  # type: ignore[arg-type]
    store.write(note("kept"))  # type: ignore[arg-type]
    assert words(store) == ["kept"]
    store.close()


@pytest.mark.parametrize(("most_seconds", "commits"), [(60, 2), (0, 51)])
def test_units_that_wait_together_share_a_commit_for_a_while(
    store: Database, monkeypatch: pytest.MonkeyPatch, most_seconds: float, commits: int
) -> None:
    monkeypatch.setattr(writer_module, "LONG_SECONDS", most_seconds)
    counted = 0

    @event.listens_for(store._write_engine, "commit")
    def count(_: Connection) -> None:
        nonlocal counted
        counted += 1

    with busy(store):
        futures = [store._writer.submit(note(str(number))) for number in range(50)]  # type: ignore[arg-type]
    for future in futures:
        future.result(5)
    assert words(store) == [str(number) for number in range(50)]
    assert counted == commits


def test_the_wait_for_another_process_is_no_reason_for_a_commit_of_ones_own(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, begun = 0.0, 0

    @event.listens_for(store._write_engine, "begin")
    def wait(_: Connection) -> None:
        nonlocal now, begun
        now, begun = now + 60, begun + 1

    monkeypatch.setattr(writer_module, "time", SimpleNamespace(perf_counter=lambda: now))
    with busy(store):
        futures = [store._writer.submit(note(str(number))) for number in range(10)]  # type: ignore[arg-type]
    for future in futures:
        future.result(5)
    assert begun == 2


def test_a_failing_unit_takes_no_other_with_it(store: Database) -> None:
    def fail(_: Connection) -> None:
        raise ValueError("no")

    with busy(store):
        good = [store._writer.submit(note(word)) for word in "ab"]  # type: ignore[arg-type]
        bad = store._writer.submit(fail)
        more = store._writer.submit(note("c"))  # type: ignore[arg-type]
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


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "nothing", [lambda _: None, lambda connection: connection.execute(text("DELETE FROM notes WHERE word = 'x'"))]
)
def test_what_changes_nothing_does_not_end_trouble(store: Database, nothing: Callable[[Connection], object]) -> None:
    with full_disk():
        with pytest.raises(Unavailable):
            store.write(note("a"))  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(Unavailable):
                store.write(nothing)
            assert store.trouble is not None
        with pytest.raises(Unavailable):
            store.probe()
    store.write(nothing)
    assert store.trouble is None
    store.write(note("b"))  # type: ignore[arg-type]
    assert words(store) == ["b"]


def test_a_probe_finds_trouble_and_leaves_nothing(store: Database) -> None:
    before = store.read(lambda connection: connection.execute(select(state)).all())
    with full_disk(), pytest.raises(Unavailable):
        store.probe()
    assert store.trouble is not None
    store.probe()
    assert store.trouble is None
    assert store.read(lambda connection: connection.execute(select(state)).all()) == before


def test_after_closing_it_is_unavailable(tmp_path: Path) -> None:
    store = Database(sqlite_url(tmp_path), tmp_path)
    store.close()
    store.close()
    with pytest.raises(Unavailable) as refused:
        store.write(lambda connection: None)
    assert refused.value.code == "shutting_down"
