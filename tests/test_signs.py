"""Signs of a new part: surprising ones weigh more, and near ones count as one."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.records import Line
from silvr_cli.signs import NEAR, candidates, lines_of, running_heads, telling

TIMES = st.floats(0, 600)
LINES = st.lists(
    st.builds(
        lambda a, b, kind, text: Line(min(a, b), max(a, b), kind, text),
        TIMES,
        TIMES,
        st.sampled_from(["speech", "screen", "caption"]),
        st.text("abc /", min_size=1, max_size=12),
    ),
    max_size=12,
)


def strength(cuts: list[float], at: float, lines: tuple[Line, ...] = ()) -> float:
    return next(c.strength for c in candidates(lines, cuts, 600.0) if c.time == at)


def test_a_cut_tells_less_in_a_film_of_cuts() -> None:
    busy = [float(t) for t in range(5, 600, 5)]
    assert strength([300.0], 300.0) > 5 * strength(busy, 300.0)


def test_a_title_right_after_a_cut_speaks_of_the_same_moment() -> None:
    slide = Line(301.0, 320.0, "screen", "The Dome / Gear plate")
    (found,) = candidates([slide], [300.0], 600.0)
    assert found.time == 300.0
    assert set(found.signs) == {"cut", "title"}


def test_speech_that_runs_on_takes_weight_away() -> None:
    over = (Line(290.0, 310.0, "speech", "and so it goes on and on"),)
    assert strength([300.0], 300.0, over) < strength([300.0], 300.0)


def test_the_same_title_twice_running_is_no_sign() -> None:
    twice = [Line(t, t + 5, "screen", f"The Dome / row {t}") for t in (100.0, 200.0)]
    assert [c.time for c in candidates(twice, [], 600.0) if c.strength] == [100.0]


def test_a_logo_on_every_screen_is_no_title() -> None:
    screens = [Line(t, t + 5, "screen", f"NEWS / Story {t:g}") for t in range(0, 100, 20)]
    assert running_heads(screens) == {"news"}
    titled = [c.time for c in candidates(screens, [], 600.0) if "title" in c.signs]
    assert titled == [20.0, 40.0, 60.0, 80.0]


HARBOUR = ["anchor", "rope", "tide", "crane", "pilot", "buoy", "quay", "sail"]
BAKERY = ["flour", "oven", "yeast", "crust", "knead", "dough", "rye", "salt"]


def themes(words: list[str], others: list[str]) -> list[float]:
    """Where themes turn in 100 lines of three words of the first and as many of the second."""
    told = [
        (w[i % 8], w[(i * 3 + 1) % 8], w[(i // 8) % 8]) for w in (words, others) for i in range(100)
    ]
    lines = [Line(i * 4.0, i * 4.0 + 4, "speech", " ".join(t)) for i, t in enumerate(told)]
    return [c.time for c in candidates(lines, [], 800.0) if "theme" in c.signs]


def test_a_total_change_of_words_is_a_theme_and_a_partial_one_is_none() -> None:
    assert themes(HARBOUR, BAKERY) == [400.0]
    assert themes(HARBOUR, HARBOUR[2:] + BAKERY[:2]) == []


def test_captions_by_rule_say_nothing_of_a_part() -> None:
    rule = Line(0.0, 8.0, "caption", "new picture at 0:03", 8.0, "embedded")
    assert not telling(rule)
    assert lines_of([rule, Line(2.0, 4.0, "speech", "hello")], 0.0, 8.0)[0].text == "hello"


@given(LINES, st.lists(TIMES, max_size=8))
def test_candidates_are_in_order_inside_and_apart(lines: list[Line], cuts: list[float]) -> None:
    found = candidates(lines, cuts, 600.0)
    times = [c.time for c in found]
    assert times == sorted(times)
    assert all(0 < t < 600 for t in times)
    assert all(b - a > NEAR for a, b in pairwise(times))
    assert all(c.strength >= 0 and math.isfinite(c.strength) for c in found)


@given(LINES, st.floats(0, 300), st.floats(300, 600))
def test_lines_that_fill_one_half_belong_to_it(lines: list[Line], a: float, b: float) -> None:
    for line in lines_of(lines, a, b):
        assert line.start < b
        assert line.end >= a
