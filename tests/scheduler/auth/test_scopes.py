"""Scopes: what includes what, and how they are read."""

from __future__ import annotations

import pytest

from scheduler.auth.scopes import ANYBODY, OPERATOR, Caller, Scope, read_name, read_scopes, scopes_text
from scheduler.errors import InvalidRequest, NotAllowed


@pytest.mark.parametrize(
    ("granted", "may"),
    [
        ("read", "read"),
        ("run", "read run"),
        ("write", "read run write"),
        ("admin", "read run write admin"),
        ("read,write", "read run write"),
    ],
)
def test_what_a_scope_includes(granted: str, may: str) -> None:
    caller = Caller("ann", "user", read_scopes([granted]))
    assert [scope.value for scope in Scope if caller.may(scope)] == may.split()


def test_who_needs_no_name_may_do_all() -> None:
    assert all(caller.may(scope) for caller in (ANYBODY, OPERATOR) for scope in Scope)


def test_a_refusal_says_what_is_missing_and_what_is_there() -> None:
    with pytest.raises(NotAllowed) as refused:
        Caller("ci", "token", read_scopes(["run", "read"])).require(Scope.WRITE, "Action 'create'")
    assert refused.value.code == "forbidden"
    assert refused.value.details == {"missing_scope": "write", "scopes": ["read", "run"]}
    assert "Action 'create' needs the scope 'write'; the token 'ci' has read,run." in refused.value.message
    assert "write or admin" in refused.value.message


def test_scopes_are_written_weakest_first() -> None:
    assert scopes_text(read_scopes(["write", " read , write"])) == "read,write"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["wirte"], "Did you mean 'write'?"),
        (["read,all"], "'read', 'run', 'write', 'admin'"),
        (["READ"], "'read'"),
        ([], "is required"),
        ([" , "], "is required"),
    ],
)
def test_words_that_are_no_scopes(words: list[str], hint: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_scopes(words)
    assert hint in refused.value.message


@pytest.mark.parametrize("name", ["ann", "a", "ann.b@example.org", "j\u00fcrgen", "ci-2_x+y", "\u674e", "7", "x" * 64])
def test_names(name: str) -> None:
    assert read_name(name) == name


def test_a_letter_with_an_accent_is_the_same_in_both_spellings() -> None:
    assert read_name("ju\u0308rgen") == "j\u00fcrgen"


@pytest.mark.parametrize(
    "name", ["", " ann", "ann b", "a:b", "-ann", "a\nb", "x" * 65, "run 01m7", "a/b", "a,b", "ann\n"]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidRequest, match="is no name"):
        read_name(name)
