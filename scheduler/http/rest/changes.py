"""Make a change under the terms that came with it: what the task must be, and a key that makes it happen once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from scheduler.errors import Conflict
from scheduler.http.rest.answer import Answer, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.etags import read_condition
from scheduler.http.rest.idempotency import AnsweredBefore, read_key
from scheduler.store import Connection
from scheduler.task_scheduler import TaskScheduler

T = TypeVar("T")
Wait = Callable[[list[str]], Later]


def change(
    call: Call,
    act: Callable[[TaskScheduler], T],
    show: Callable[[TaskScheduler, T], Answer],
    wait: Wait | None = None,
) -> Answer | Later:
    """Do what `act` does, and answer what `show` makes of it; with `wait`, when the runs that it names have ended.

    With a key the answer is kept in the transaction of the change: whatever crashes, both are there or none.
    """
    condition = read_condition(call.request) if call.route.method != "POST" else None
    key = read_key(call) if call.route.method == "POST" else None
    if condition is None and key is None:
        return _ready(show(call.scheduler, act(call.scheduler)), wait)
    made: list[Answer] = []

    def around(connection: Connection, unit: Callable[[Connection], Any]) -> Any:
        inside = call.scheduler.on(connection)
        if key is not None:
            key.check(connection)
        if condition is not None:
            condition.check(inside, call.ids["task_id"])
        result = unit(connection)
        made[:] = [show(inside, result)]
        if key is not None:
            key.keep(connection, made[0])
        return result

    try:
        result = act(call.scheduler.within(around))
    except AnsweredBefore as before:
        return _ready(before.answer, wait)
    # Where nothing was written, nothing was asked inside a transaction.
    return _ready(made[0] if made else show(call.scheduler, result), wait)


def answered_before(call: Call) -> Answer | None:
    """Return what a request that is refused now was answered with before, under the same key.

    A definition whose moment has passed meanwhile was right when it was sent first.
    """
    key = read_key(call) if call.route.method == "POST" else None
    if key is None:
        return None
    try:
        call.scheduler.transact(key.check)
    except AnsweredBefore as before:
        return before.answer
    except Conflict:  # what is wrong with the request comes before what is wrong with its key
        return None
    return None


def _ready(answer: Answer, wait: Wait | None) -> Answer | Later:
    return wait(answer.run_ids) if wait is not None and answer.run_ids else answer
