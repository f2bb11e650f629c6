"""Counters and histograms as plain values."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from scheduler.metrics.counts import Counts
from scheduler.metrics.families import BY_NAME, COUNTED, LOOKED_UP

BUCKETS = BY_NAME["run_lateness_seconds"].buckets
VALUES = st.lists(st.sampled_from([0.0, 0.0005, 0.001, 0.002, 0.3, 59.0, 60.0, 61.0, 1e6]), max_size=20)


def observed(values: list[float]) -> Counts:
    counts = Counts()
    for value in values:
        counts.observe("run_lateness_seconds", value)
    return counts


def test_a_value_goes_into_the_first_bucket_that_is_not_below_it() -> None:
    [numbers] = observed([0.001, 0.0011, 60.0, 60.1]).numbers.values()
    assert numbers[0] == 1  # le="0.001" takes 0.001
    assert numbers[1] == 1
    assert numbers[len(BUCKETS) - 1 :] == [1, 1, 0.001 + 0.0011 + 60.0 + 60.1]


def test_a_value_below_zero_counts_as_zero() -> None:
    [numbers] = observed([-5.0]).numbers.values()
    assert (numbers[0], numbers[-1]) == (1, 0)


@given(VALUES, VALUES)
def test_adding_is_the_same_as_counting_together(one: list[float], other: list[float]) -> None:
    total = observed(one)
    total.add(observed(other))
    together = observed(one + other)
    assert total.numbers.keys() == together.numbers.keys()
    for key, numbers in total.numbers.items():
        assert numbers[:-1] == together.numbers[key][:-1]
        assert abs(numbers[-1] - together.numbers[key][-1]) < 1e-3


@given(VALUES)
def test_they_come_back_from_a_file(values: list[float]) -> None:
    counts = observed(values)
    counts.count("task_runs", 'any "name"\n', "completed", by=3)
    assert Counts.from_json(orjson.loads(orjson.dumps(counts.to_json()))).numbers == counts.numbers


def test_adding_leaves_the_other_as_it_was() -> None:
    total, other = Counts(), observed([1.0])
    total.add(other)
    total.add(other)
    assert other.numbers == observed([1.0]).numbers


def test_names_are_as_prometheus_wants_them() -> None:
    for family in (*COUNTED, *LOOKED_UP):
        assert not family.name.endswith(("_total", "_info", "_count", "_sum", "_bucket"))
        assert list(family.buckets) == sorted(set(family.buckets))
        assert bool(family.buckets) == (family.kind == "histogram")
