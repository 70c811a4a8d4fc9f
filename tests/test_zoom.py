"""Zoom: where an answer in doubt is looked at again, within the budget, and said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.records import Answer, Clip, Context, Evidence, Line, Plan, Usage
from silvr_cli.settings import Zoom
from silvr_cli.stages.zoom import CLOSER, doubtful, joined, places, settled, told
from silvr_cli.timeline import as_text

LINES = (
    Line(0.0, 8.0, "caption", "a man at a table", 8.0),
    Line(20.0, 24.0, "speech", "now the cup is moved"),
    Line(40.0, 104.0, "caption", "cups stand on a table", 64.0),
    Line(0.0, 120.0, "summary", "chapter about a cup"),
)
PLAN = Plan("all", "everything fits", 100, 20, 4, 4)
CONTEXT = Context(as_text(LINES), LINES, PLAN, (), 2)
LOW = Answer("Where is the cup?", "On the left.", "found", "low")


def count(texts):
    return [len(text.split()) for text in texts]


def test_only_little_confidence_is_looked_into() -> None:
    assert doubtful(LOW, CONTEXT)
    assert doubtful(replace(LOW, confidence="high", verdict="unclear"), CONTEXT)
    assert not doubtful(replace(LOW, confidence="medium"), CONTEXT)


def test_what_is_mentioned_but_not_told_is_looked_for_and_what_nobody_mentions_is_not() -> None:
    denied = replace(LOW, verdict="not_found", confidence="medium")
    assert doubtful(denied, CONTEXT)
    assert not doubtful(denied, replace(CONTEXT, unheard=("cup", "left"), asked=2))
    assert not doubtful(denied, Context("", (), PLAN))


def test_places_are_those_of_the_evidence_then_those_of_the_question() -> None:
    rests = replace(LOW, evidence=(Evidence(90.0, 91.0, "x"),))
    clips = places(rests, CONTEXT, (), Zoom(spans=2), 120.0)
    assert [(c.start, c.end) for c in clips] == [(20.0, 24.0), (88.5, 92.5)]
    assert {c.level for c in clips} == {4.0}


def test_a_long_place_is_cut_into_four_and_a_whole_video_into_none() -> None:
    clips = places(LOW, CONTEXT, (Clip(20.0, 24.0, 4.0),), Zoom(spans=9), 120.0)
    assert [(c.start, c.end, c.level) for c in clips] == [
        (40.0 + 16 * i, 56.0 + 16 * i, 16.0) for i in range(4)
    ]


def test_a_place_is_looked_at_again_only_closer() -> None:
    looked = [Clip(20.0, 24.0, 4.0), Clip(40.0, 104.0, 4.0)]
    assert places(LOW, CONTEXT, looked, Zoom(), 120.0) == ()
    closer = places(LOW, CONTEXT, looked, Zoom(clip_length=2.0), 120.0)
    assert [(c.start, c.end) for c in closer] == [(20.0, 22.0), (22.0, 24.0)]


def test_a_question_that_shares_no_word_has_no_place() -> None:
    assert places(replace(LOW, question="Why?"), CONTEXT, (), Zoom(), 120.0) == ()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=8), st.floats(0.5, 9))
def test_clips_lie_in_the_video(spans: list[tuple[float, float]], length: float) -> None:
    rests = tuple(Evidence(min(s), max(s), "x") for s in spans)
    clips = places(replace(LOW, evidence=rests), CONTEXT, (), Zoom(clip_length=length), 100.0)
    assert all(0 <= c.start < c.end <= 100 and c.end - c.start <= c.level + 1e-6 for c in clips)


def test_what_was_seen_joins_in_order_and_says_so() -> None:
    seen = (Line(20.0, 24.0, "caption", "a hand moves the red cup", 4.0, "seer"),)
    missed = replace(CONTEXT, unheard=("red", "blue"), unread=("hand", "shelf"))
    found = joined(missed, seen, 200, count)
    assert found.lines[2].text == CLOSER + "a hand moves the red cup"
    assert CLOSER in found.text
    assert (found.unheard, found.unread) == (("blue",), ("shelf",))
    assert "1 clips looked at again" in found.plan.reason
    assert (found.plan.lines_kept, found.plan.lines_total) == (5, 5)


def test_nothing_seen_makes_no_word_heard() -> None:
    seen = (Line(20.0, 24.0, "caption", "nothing here is red", 4.0, "seer"),)
    assert joined(replace(CONTEXT, unheard=("red",)), seen, 200, count).unheard == ("red",)


@given(st.integers(0, 60))
def test_the_context_stays_within_the_budget(tokens: int) -> None:
    seen = (Line(20.0, 24.0, "caption", "a hand moves the cup", 4.0, "seer"),)
    found = joined(CONTEXT, seen, tokens, count)
    assert found.plan.tokens <= max(tokens, 0)
    if tokens >= 20:
        assert any(line.text.startswith(CLOSER) for line in found.lines)


def test_places_side_by_side_are_told_as_one() -> None:
    clips = [Clip(4.0, 8.0, 4.0), Clip(8.0, 12.0, 4.0), Clip(64.0, 66.0, 4.0)]
    assert told(clips, "seer") == "looked again at 0:04-0:12, 1:04-1:06: 3 clips, by seer"


@pytest.mark.parametrize(
    ("verdict", "text"), [("found", "On the right."), ("not_found", "On the left.")]
)
def test_the_second_answer_counts_unless_it_stands_on_less(verdict: str, text: str) -> None:
    first = replace(LOW, usage=Usage(2, 10, 1), notes=("odd",))
    second = replace(LOW, text="On the right.", verdict=verdict, usage=Usage(1, 5, 1))
    found = settled(first, second, "looked again at 0:20")
    assert found.text == text
    assert "looked again at 0:20" in found.notes
    assert (found.usage.calls, found.usage.prompt_tokens) == (3, 15)
    assert ('before that: "On the left."' in found.notes) == (verdict == "found")
