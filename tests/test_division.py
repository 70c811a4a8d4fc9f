"""Dividing a stretch: the best of all divisions, found without trying all."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.division import MANY, Wanted, divided

Moments = list[tuple[float, float]]
MOMENTS = st.lists(
    st.tuples(st.integers(1, 99).map(float), st.floats(0, 9)), max_size=8, unique_by=lambda m: m[0]
).map(sorted)
EVEN = st.sampled_from([0.0, 0.25, 2.0])


def worth(some: Moments, wanted: Wanted) -> float:
    """What a division of 100 seconds comes to; no part may be shorter than the least."""
    parts = [b - a for a, b in pairwise([0.0, *(t for t, _ in some), 100.0])]
    if min(parts) < wanted.least:
        return -math.inf
    even = sum(wanted.even * math.log2(part / wanted.least) for part in parts)
    return sum(strength - wanted.price for _, strength in some) + even


def best(moments: Moments, wanted: Wanted, numbers: range) -> float:
    some = (worth(list(some), wanted) for n in numbers for some in combinations(moments, n))
    return max(some, default=-math.inf)


@given(MOMENTS, st.floats(1, 30), st.floats(0, 9), EVEN)
def test_no_division_is_worth_more(
    moments: Moments, least: float, price: float, even: float
) -> None:
    wanted = Wanted(least, (0, 8), price, even)
    times = divided(moments, 100.0, wanted)
    found = [m for m in moments if m[0] in times]
    assert worth(found, wanted) == pytest.approx(best(moments, wanted, range(9)), abs=1e-6)


@given(MOMENTS, st.floats(1, 30), st.integers(1, 5), EVEN)
def test_so_many_are_chosen_and_those_that_are_worth_most(
    moments: Moments, least: float, number: int, even: float
) -> None:
    wanted = Wanted(least, (number, number), 3.0, even)
    times = divided(moments, 100.0, wanted)
    found = [m for m in moments if m[0] in times]
    room = max(n for n in range(9) if best(moments, wanted, range(n, n + 1)) > -math.inf)
    assert len(found) == min(number, room)
    expected = best(moments, wanted, range(len(found), len(found) + 1))
    assert worth(found, wanted) == pytest.approx(expected, abs=0.01)


def test_moments_at_equal_distances_are_divided_evenly() -> None:
    same = [(float(t), 1.0) for t in range(1, 100)]
    for number in (1, 3, 4, 9, 19):
        times = divided(same, 100.0, Wanted(1.0, (number, number), 3.0, 0.25))
        parts = [b - a for a, b in pairwise([0.0, *times, 100.0])]
        assert len(times) == number
        assert max(parts) - min(parts) <= 1.0


def test_of_very_many_the_strongest_are_looked_at() -> None:
    many = [(100 * (i + 1) / (3 * MANY), 0.0) for i in range(3 * MANY - 1)]
    strong = {10.0, 50.0, 50.1}
    many = [(t, 5.0 if t in strong else s) for t, s in [*many, (50.1, 5.0)] if t != 0]
    many = sorted(dict(many).items())
    found = divided(many, 100.0, Wanted(0.05, (3, 3), 3.0, 0.25))
    assert set(found) == strong
