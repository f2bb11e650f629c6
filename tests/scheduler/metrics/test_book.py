"""The file that all processes of a machine add to."""

from __future__ import annotations

import fcntl
import stat
import threading
from pathlib import Path

import orjson
import pytest

from scheduler.metrics import book as book_module
from scheduler.metrics.book import Book, BookBusy, Vitals
from scheduler.metrics.counts import Counts


def ran(number: float = 1, status: str = "completed") -> Counts:
    counts = Counts()
    counts.count("runs", status, "command", by=number)
    return counts


def runs(book: Book, status: str = "completed") -> float:
    return book.read().counts.numbers[("runs", status, "command")][0]


def test_what_several_add_is_one_total(tmp_path: Path) -> None:
    one, other = Book(tmp_path), Book(tmp_path)
    one.add(ran(2))
    other.add(ran(3))
    other.add(ran(1, "failed"))
    assert (runs(one), runs(other, "failed")) == (5, 1)


def test_nothing_is_lost_and_nothing_goes_backwards_when_many_add_at_once(tmp_path: Path) -> None:
    seen: list[float] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            if Book(tmp_path).read().counts:
                seen.append(runs(Book(tmp_path)))

    reader = threading.Thread(target=read)
    reader.start()
    adders = [threading.Thread(target=lambda: [Book(tmp_path).add(ran()) for _ in range(25)]) for _ in range(4)]
    for thread in adders:
        thread.start()
    for thread in adders:
        thread.join()
    over.set()
    reader.join()
    assert runs(Book(tmp_path)) == 100
    assert seen == sorted(seen)


def test_vitals_stay_until_they_are_noted_anew(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert book.read().vitals is None
    book.add(Counts(), Vitals(7, "here", True))
    book.add(ran())
    assert book.read().vitals == Vitals(7, "here", True)
    book.add(Counts(), Vitals(8, "here", False))
    assert book.read().vitals == Vitals(8, "here", False)


def test_it_is_the_services_own(tmp_path: Path) -> None:
    Book(tmp_path).add(ran())
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"layout": []}', b"\0" * 4096])
def test_a_damaged_file_begins_at_zero(tmp_path: Path, content: bytes) -> None:
    book = Book(tmp_path)
    (tmp_path / "metrics.json").write_bytes(content)
    assert not book.read().counts
    book.add(ran())
    assert runs(book) == 1


def test_numbers_of_another_layout_are_not_added_to(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.add(ran(5), Vitals(7, "here", True))
    kept = orjson.loads((tmp_path / "metrics.json").read_bytes())
    kept["layout"][1][-1] = "99.0"
    (tmp_path / "metrics.json").write_bytes(orjson.dumps(kept))
    assert not book.read().counts
    assert book.read().vitals == Vitals(7, "here", True)
    book.add(ran())
    assert runs(book) == 1


def test_nobody_waits_long_for_a_process_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "LOCK_SECONDS", 0.02)
    book = Book(tmp_path)
    book.add(ran())
    with (tmp_path / "metrics.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BookBusy):
            book.add(ran())
        assert runs(book) == 1
    book.add(ran())
    assert runs(book) == 2
