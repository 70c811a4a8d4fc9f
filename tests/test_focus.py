"""Focus: tokens where the question is, coarse to fine, told once, the whole video in overview."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.focus import FLOOR, Wish, focused, news, relevance
from silvr_cli.records import Line
from silvr_cli.timeline import as_text

WORDS = st.sampled_from(["ferry", "Elba", "noon", "harbour", "bread", "oven", "dough", "music"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=12).map(" ".join), min_size=1, max_size=30)
QUESTION = "When does the ferry to Elba leave?"


def count(texts):
    return [len(text.split()) for text in texts]


def told(texts, kind="speech"):
    return [Line(10.0 * i, 10.0 * i + 9, kind, text) for i, text in enumerate(texts)]


def chosen(lines, tokens, overview=0.0, question=QUESTION):
    return focused(lines, Wish(question, overview), relevance(lines, question), tokens, count)


def worth(lines, kept):
    scores = dict(zip(lines, relevance(lines, QUESTION), strict=True))
    return sum(scores.get(line, 0.0) ** 2 for line in kept)


@given(TEXTS, st.integers(0, 200), st.sampled_from([0.0, 0.2, 0.5]))
def test_it_is_never_over_the_budget_and_in_order(texts, tokens: int, overview: float) -> None:
    kept = chosen(told(texts), tokens, overview)
    assert sum(count([as_text(kept)])) <= tokens
    assert [line.start for line in kept] == sorted(line.start for line in kept)


@given(TEXTS, st.integers(0, 150), st.integers(0, 60))
def test_more_room_is_never_worth_less(texts, tokens: int, more: int) -> None:
    lines = told(texts)
    less, greater = chosen(lines, tokens), chosen(lines, tokens + more)
    assert worth(lines, greater) >= worth(lines, less) - 1e-9


@given(TEXTS)
def test_what_is_kept_bears_on_the_question(texts) -> None:
    lines = told(texts)
    scores = relevance(lines, QUESTION)
    for line in chosen(lines, 10_000):
        assert scores[lines.index(line)] >= FLOOR * max(scores)


def test_the_whole_video_keeps_an_overview() -> None:
    lines = [
        part
        for i in range(20)
        for part in (
            Line(60.0 * i, 60.0 * i + 9, "screen", f"Chapter {i} Bread / Room {i} / more"),
            Line(60.0 * i + 9, 60.0 * i + 50, "speech", "oven and dough and music " * 5),
        )
    ]
    lines.append(Line(1200.0, 1209.0, "speech", "the ferry to Elba leaves at noon"))
    kept = chosen(lines, 120, 0.4)
    heads = [line for line in kept if line.kind == "screen"]
    assert any("Elba" in line.text for line in kept)
    assert {line.start // 300 for line in heads} == {0, 1, 2, 3}
    assert all(line.text.endswith("…") for line in heads)


def test_headlines_stand_near_the_times_that_are_asked_about() -> None:
    lines = [Line(60.0 * i, 60.0 * i + 9, "screen", f"Title number{i} Bread") for i in range(20)]
    lines.append(Line(1200.0, 1209.0, "speech", "the ferry to Elba leaves at noon"))
    wish = Wish(QUESTION, 0.4, (600.0,))
    kept = focused(lines, wish, relevance(lines, QUESTION), 60, count)
    heads = [line.start for line in kept if line.kind == "screen"]
    assert heads == [480.0, 540.0, 600.0, 660.0]


def test_captions_of_several_lengths_are_told_at_one_of_them() -> None:
    coarse = Line(0.0, 64.0, "caption", "a ferry at sea", 64.0, "eye")
    fine = [
        Line(
            8.0 * i, 8.0 * i + 8, "caption", f"the ferry to Elba, view {i} of the deck", 8.0, "eye"
        )
        for i in range(8)
    ]
    assert chosen([coarse, *fine], 9) == [coarse]
    assert chosen([coarse, *fine], 200) == fine


def test_of_a_long_line_only_what_bears_on_the_question_is_kept_when_room_is_scarce() -> None:
    text = "The ferry to Elba leaves at noon. Bread is sold on deck. Music plays all day long."
    (line,) = told([text])
    (kept,) = chosen([line], 14)
    assert kept.text == "The ferry to Elba leaves at noon."
    assert chosen([line], 100) == [line]


def test_what_neighbouring_captions_repeat_is_told_once() -> None:
    sentence = "A man stands on a red boat near the pier."
    lines = [
        Line(0.0, 1.0, "caption", sentence, 1.0, "eye"),
        Line(1.0, 2.0, "caption", f"{sentence} He throws a rope.", 1.0, "eye"),
        Line(2.0, 3.0, "caption", sentence, 1.0, "eye"),
        Line(60.0, 61.0, "caption", sentence, 1.0, "eye"),
    ]
    told_once = news(lines)
    assert [line.text for line in told_once] == [sentence, "He throws a rope.", sentence]
    assert [line.start for line in told_once] == [0.0, 1.0, 60.0]


def test_a_quoted_title_counts_where_all_of_it_stands() -> None:
    lines = told(
        ["Picture Round 5 by Anna", "Picture Round 12 by Paul", "Picture Round 19 by Lisa"]
    )
    kept = chosen(lines, 100, question='Who sent "Picture Round 5"?')
    assert [line.text for line in kept] == ["Picture Round 5 by Anna"]


def test_far_from_a_place_that_the_question_names_a_line_counts_less() -> None:
    talks = ["Fish and Chips", "Old Steam", "The Night Shift"]
    lines = [
        line
        for i, title in enumerate(talks)
        for line in (
            Line(300.0 * i, 300.0 * i + 20, "screen", title),
            Line(300.0 * i + 5, 300.0 * i + 10, "speech", f"recorded by speaker {'ABC'[i]}"),
        )
    ]
    kept = chosen(lines, 1000, question='Who recorded "Old Steam"?')
    assert [line.start for line in kept] == [300.0, 305.0]
    # All of a name's words are not yet the name.
    rounds = [
        Line(0.0, 5.0, "speech", "Round 5, Ann sent us pictures."),
        Line(300.0, 305.0, "speech", "Round 12, Bob sent us 5 pictures."),
    ]
    assert chosen(rounds, 1000, question='Who sent pictures in "Round 5"?') == rounds[:1]
    # A place that stands nowhere takes nothing away.
    kept = chosen(lines, 1000, question='Who recorded "Blue Moon"?')
    assert {line.start for line in kept} >= {5.0, 305.0, 605.0}
