"""YAML is read by the rules of 1.2, with the line of each value, and nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.yaml_text import MOST_BYTES, YamlError, read_yaml, write_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2:30", {"a": "2:30"}),  # sixty-based numbers are of YAML 1.1
        ("on: [failure]", {"on": ["failure"]}),
        ("a: no", {"a": "no"}),
        ("a: 2026-12-24", {"a": "2026-12-24"}),
        ("a: 2026-12-24 18:00:00", {"a": "2026-12-24 18:00:00"}),
        ("a: 010", {"a": 10}),
        ("a: 0x1f", {"a": "0x1f"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: true", {"a": True}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: 1.5e3", {"a": 1500.0}),
        ("a: '5'", {"a": "5"}),
        ("1: x", {"1": "x"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}),
        ("- &x {a: 1}\n- <<: [{a: 2, b: 2}, *x]\n  c: 3", [{"a": 1}, {"c": 3, "a": 2, "b": 2}]),
        (
            "a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {<<: *y}",
            {"a": {"b": 1}, "c": {"d": 2, "b": 1}, "e": {"d": 2, "b": 1}},
        ),
        ("<<: &x {a: 1}\nb: *x", {"b": {"a": 1}, "a": 1}),
        ("'<<': {a: 1}\nb: <<", {"<<": {"a": 1}, "b": "<<"}),
        (b"\xef\xbb\xbfa: \xc3\xa4", {"a": "\u00e4"}),
        ("a: \u00e4".encode("utf-16"), {"a": "\u00e4"}),
        ("", None),
        ("# nothing", None),
    ],
)
def test_values(text: str | bytes, value: Any) -> None:
    assert read_yaml(text).value == value


def test_every_value_has_its_line() -> None:
    document = read_yaml("- id: a\n  trigger:\n    minutes: 5\n\n- id: b\n")
    assert document.line((0, "trigger", "minutes")) == 3
    assert document.line((1,)) == 5
    assert document.line((1, "missing")) == 5
    assert document.line((7,)) == 1


def test_what_is_merged_has_the_line_on_which_it_stands() -> None:
    document = read_yaml("- &x\n  a: 1\n  b: 2\n- c: 3\n  <<: *x\n  b: 4\n- *x\n")
    assert [document.line((1, name)) for name in ("a", "b", "c")] == [2, 6, 4]
    assert (document.line((2,)), document.line((2, "a"))) == (7, 2)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\nb: [1", 2, "flow sequence"),
        ("a: 1\na: 2", 2, "'a' stands here twice, first on line 1"),
        ("a: !!python/object/apply:os.system ['true']", 1, "is not taken"),
        ("a: !secret x", 1, "'!secret' is not taken"),
        ("a: 1\n? [x]\n: 2", 2, "must be a text"),
        ("a: 1\n---\nb: 2", 2, "single document"),
        ("\ta: 1", 1, "cannot start any token"),
        ("a: 1\nb: \x00", 2, "the character U+0000 cannot stand in YAML"),
        (b"a: 1\nb: \xc3\xa4\x07", 2, "the character U+0007 cannot stand in YAML"),
        (b"a: 1\nb: \xff", 2, "not in UTF-8: invalid start byte at byte 8"),
        (b"\xff\xfea", 1, "not in UTF-16: truncated data at byte 2"),
        ('a: 1\nb: "\\UFFFFFFFF"', 2, "names no character"),
        ('a: "\\U00110000"', 1, "names no character"),
        ("a: !!int many", 1, "'tag:yaml.org,2002:int' is not taken"),
        ("a: !!float ''", 1, "'tag:yaml.org,2002:float' is not taken"),
        ("a: !!bool maybe", 1, "'tag:yaml.org,2002:bool' is not taken"),
        ("a: !!str {b: c}", 1, "'tag:yaml.org,2002:str' is not taken"),
        ("[" * 10_000, 1, "too deep"),
        ("<<: {a: 1}\n<<: {b: 1}", 2, "'<<' stands here twice, first on line 1"),
        ("<<: {a: 1}\nb: 1\nb: 2", 3, "'b' stands here twice, first on line 2"),
        ("a:\n  <<: 5", 2, "'<<' merges a mapping"),
        ("<<:\n- {a: 1}\n- [b]", 3, "'<<' merges a mapping"),
        ("<<: !secret {a: 1}", 1, "'<<' merges a mapping"),
        ("a: &x {<<: *x}", 1, "too deep"),
        ("a: " + "9" * 40, 1, "so many digits"),
        ("a: " + "[" * 80 + "]" * 80, 1, "too deep"),
        ("a: *x", 1, "undefined alias"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str | bytes, line: int, part: str) -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml(text)
    assert part in caught.value.message
    assert caught.value.line == line


@pytest.mark.parametrize(("first", "next_"), [("[x, x]", "[{}]"), ("{a: 1}", "{{<<: [{}]}}"), ("{}", "{{<<: [{}]}}")])
def test_a_bomb_of_aliases_is_refused_quickly(first: str, next_: str) -> None:
    rows = [f"a0: &a0 {first}"]
    rows += [f"a{n}: &a{n} {next_.format(', '.join([f'*a{n - 1}'] * 10))}" for n in range(1, 12)]
    with pytest.raises(YamlError, match="too many values"):
        read_yaml("\n".join(rows))


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(YamlError, match="limit"):
        read_yaml("#" * (MOST_BYTES + 1))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert read_yaml(write_yaml(value)).value == value
