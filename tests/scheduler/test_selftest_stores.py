"""The stores of the chaos test do to a server what they say."""

from __future__ import annotations

import threading

import pytest

from scheduler.selftest.stores import PostgresStore
from tests.postgres import Cluster, name_of
from tests.server import wait_until

psycopg = pytest.importorskip("psycopg")


def test_a_lock_is_taken_in_the_end_where_a_writer_stands_in_its_way(postgres: Cluster) -> None:
    url = postgres.new_database()
    store = PostgresStore(url, f"{name_of(url)}_locked")
    with psycopg.connect(store.url, autocommit=True) as watching, psycopg.connect(store.url) as writing:
        watching.execute("CREATE TABLE runs(); CREATE TABLE jobs(); CREATE TABLE state()")
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'state'::regclass"
        has = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ExclusiveLock' AND relation = 'state'::regclass"
        writing.execute("LOCK TABLE state IN ROW EXCLUSIVE MODE")
        ended = threading.Event()
        locking = threading.Thread(target=store.lock, args=(ended, 60), daemon=True)
        locking.start()
        wait_until(lambda: watching.execute(waits).fetchall() == [(1,)])
        writing.execute("LOCK TABLE runs IN ROW EXCLUSIVE MODE")  # each waits for the other, until one gives way
        writing.rollback()
        wait_until(lambda: watching.execute(has).fetchall() == [(1,)])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            writing.execute("LOCK TABLE runs IN ROW EXCLUSIVE MODE NOWAIT")
        ended.set()
        locking.join()
    store.close()
