"""Quotes: kept word for word, mended where a word is off, dropped where they are falsified."""

from __future__ import annotations

import pytest

from silvr_cli.evidence import NOTED
from silvr_cli.quotes import checked
from silvr_cli.records import Line

PAINT = "Then we paint the board blue with two coats."
LINES = (
    Line(5.0, 10.0, "speech", "First we sand the board with rough paper."),
    Line(20.0, 29.0, "speech", PAINT),
    Line(60.0, 65.0, "speech", "We do not nail it. My name is Anna Berg."),
    Line(80.0, 85.0, "speech", "Thank you for watching. The board cost 17 euros."),
    Line(90.0, 91.0, "summary", "The board cost 99 euros.", None, NOTED),
)


@pytest.mark.parametrize(
    "quote",
    [
        "The board cost 27 euros.",
        "The board cost 71 euros.",
        "The board cost 1",
        "The board cost 99 euros.",
        "Then we never paint the board blue with two coats.",
        "We do nail it.",
        "My name is Emma Berg.",
        "a red whale",
        "",
    ],
)
def test_a_falsified_quote_is_dropped_and_told(quote: str) -> None:
    found, notes = checked([("1:20", quote)], LINES)
    assert found == []
    assert notes == [f'dropped evidence that the timeline does not hold: "{quote}"']


def test_a_quote_with_another_word_becomes_what_its_line_says() -> None:
    found, notes = checked([("0:20", "Then we paint the board green with two coats.")], LINES)
    assert [(e.start, e.quote) for e in found] == [(20.0, PAINT)]
    assert notes[0].startswith("mended a quote")


@pytest.mark.parametrize(
    ("quote", "span"),
    [
        ("the board COST 17 euros", (80.0, 85.0)),
        ("Then we paint … with two coats", (20.0, 29.0)),
        ("with rough paper. Then we paint the board", (5.0, 29.0)),
        ("[0:20-0:29] speech: Then we paint the board", (20.0, 29.0)),
    ],
)
def test_a_quote_word_for_word_is_kept(quote: str, span: tuple[float, float]) -> None:
    found, notes = checked([("0:20", quote)], LINES)
    assert [(e.start, e.end) for e in found] == [span]
    assert found[0].quote in quote
    assert notes == []


def test_of_two_places_the_one_at_the_time_is_meant() -> None:
    lines = (Line(0, 5, "speech", "Go on."), Line(50, 55, "speech", "Go on."))
    assert checked([("0:50", "Go on.")], lines)[0][0].start == 50


def test_a_quote_runs_over_what_is_seen_meanwhile_and_over_short_subtitles() -> None:
    lines = (
        Line(0.0, 6.0, "speech", "Then we paint the board"),
        Line(4.0, 12.0, "caption", "A man paints."),
        Line(6.0, 7.0, "speech", "blue with two"),
        Line(7.0, 8.0, "speech", "coats of the"),
        Line(8.0, 9.0, "speech", "very best paint."),
    )
    quote = "Then we paint the board blue with two coats of the very best paint."
    (found,), wrong = checked([("0:00", quote)], lines)
    assert (found.start, found.end, wrong) == (0.0, 9.0, [])
