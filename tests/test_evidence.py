"""Evidence: a number stands beside what it is the number of, in the words that are shown."""

from __future__ import annotations

import pytest

from silvr_cli.evidence import (
    NOTED,
    copied,
    grounded,
    mismeasured,
    resting,
    strange,
    supporting,
    unsupported,
)
from silvr_cli.records import Evidence, Line

LINES = (
    Line(0.0, 4.0, "speech", "Welcome to the workshop. My name is Anna Berg."),
    Line(5.0, 10.0, "speech", "First we sand the board with rough paper."),
    Line(20.0, 29.0, "speech", "Then we paint the board blue with two coats."),
    Line(40.0, 50.0, "speech", "After that we drill four holes in the corners."),
    Line(60.0, 70.0, "speech", "Finally we hang the board on the wall with brass hooks."),
    Line(80.0, 85.0, "speech", "Thank you for watching. The board cost 17 euros."),
)
COST = "How much did the board cost?"
NOTE = Line(80.0, 81.0, "summary", "The board cost 99 euros, says Bob Smith.", None, NOTED)


def rests(answer: str, question: str) -> tuple[list[float], list[str]]:
    found, wrong = resting(answer, question, LINES, supporting(LINES, question, answer), False)
    return [e.start for e in found], wrong


@pytest.mark.parametrize("answer", ["It cost 2 euros.", "2 euros", "2", "The board cost 2 euros."])
def test_a_number_of_something_else_is_from_nowhere(answer: str) -> None:
    assert rests(answer, COST)[1] == ["2"]


@pytest.mark.parametrize(
    ("answer", "question", "start"),
    [
        ("seventeen euros", COST, 80.0),
        ("17", COST, 80.0),
        ("4 holes are drilled.", "How many holes are drilled?", 40.0),
        ("4", "How many holes are drilled?", 40.0),
        ("At 0:40.", "When are the holes drilled?", 40.0),
        ("It is painted. They drill 4 holes and it cost 17 euros.", "What of it?", 80.0),
    ],
)
def test_a_right_number_brings_its_line(answer: str, question: str, start: float) -> None:
    shown, wrong = rests(answer, question)
    assert wrong == []
    assert start in shown


def test_a_lines_time_bears_an_answer_out_only_where_the_line_tells_of_it() -> None:
    question = "When are the holes drilled?"
    assert rests("The holes are drilled at 0:05.", question)[1] == ["0:05"]
    # Nor does it for lines that were chosen by the words of the answer alone.
    chosen = [Evidence(5.0, 10.0, LINES[1].text, "speech")]
    answer = "The holes are drilled at 0:05."
    assert resting(answer, question, LINES, chosen, False)[1] == ["0:05"]
    assert resting(answer, question, LINES, chosen, True)[1] == []


@pytest.mark.parametrize(
    ("answer", "question", "starts", "wrong"),
    [
        ("The holes are drilled from 0:40 to 1:25.", "When are the holes drilled?", [40.0], []),
        ("They are drilled at 0:40; coats are at 1:25.", "When?", [40.0], ["1:25"]),
        ("It ends at 0:50.", "When does the drilling of the four holes end?", [40.0], []),
        ("From 0:40 to 1:24.", "When are the holes drilled?", [40.0], ["1:24"]),
    ],
)
def test_where_a_stretch_ends_no_line_has_to_tell_of_it(answer, question, starts, wrong) -> None:
    found, missed = resting(answer, question, LINES, (), False)
    assert ([e.start for e in found], missed) == (starts, wrong)


def test_a_time_is_borne_out_by_the_line_that_begins_at_it() -> None:
    lines = [
        Line(0.0, 5.0, "speech", "Welcome to the workshop."),
        Line(5.0, 10.0, "speech", "Now we drill the holes."),
    ]
    found, wrong = resting("At 0:05.", "When do we drill the holes?", lines, (), False)
    assert ([e.start for e in found], wrong) == ([5.0], [])


def test_the_minutes_of_a_time_are_no_number_of_something_else() -> None:
    lines = [Line(300.0, 304.0, "speech", "Many people came to the market.")]
    for number in ("5", "Five", "6"):
        text = f"{number} people came to the market."
        cited = [Evidence(300.0, 304.0, lines[0].text, "speech")]
        assert resting(text, "How many people came?", lines, cited, True)[1] == [number]


def test_number_words_are_numbers() -> None:
    assert rests("Five holes.", "How many holes are drilled?")[1] == ["Five"]


def test_a_quote_that_was_cited_bears_its_numbers_out() -> None:
    cited = [Evidence(20.0, 29.0, LINES[2].text, "speech")]
    assert resting("It takes 2 days.", "How long?", LINES, cited, True) == (cited, [])


def test_the_models_own_notes_bear_nothing_out() -> None:
    lines = (*LINES, NOTE)
    assert strange("It cost 99 euros, says Bob Smith.", "", lines) == ["99", "Bob Smith"]
    assert all("99" not in e.quote for e in supporting(lines, COST, "The board cost 99 euros."))


def test_measures_know_number_words() -> None:
    lines = [Line(0, 1, "speech", "It took twenty years and one month.")]
    assert mismeasured("It took 20 years and 1 month.", lines) == []
    assert mismeasured("It took twenty months.", lines) == ["twenty months"]


def test_nearly_all_of_a_sentence_is_copied_too() -> None:
    lines = [Line(0, 1, "speech", "A goat made that dent and we decided to keep it.")]
    assert copied("A goat made the dent and we decided to keep it.", lines)
    assert not copied("They chose to keep a dent which some goat had made there.", lines)


GERMAN = [
    Line(0, 4, "speech", "Willkommen in der Werkstatt. Ich heiße Anna Berg."),
    Line(5, 9, "speech", "Das Brett kostet siebzehn Euro, und wir bohren danach vier Löcher."),
    Line(10, 14, "speech", "Zum Schluss streichen wir das Brett mit blauer Farbe an."),
]


def test_other_languages_are_held_against_the_beginnings_of_their_words() -> None:
    assert grounded("Ein Brett wird gestrichen und kostet etwas.", GERMAN)
    assert not grounded("Der Bürgermeister verspricht eine neue Schule.", GERMAN)


def test_english_over_another_language_is_not_grounded() -> None:
    assert not grounded("The screen was to be written by them.", GERMAN)


def test_numbers_told_in_words_of_another_language_are_not_held_against_an_answer() -> None:
    told = (
        "Im Saal stehen zwölf Stühle, und jeden Abend kommen die Leute aus dem Dorf und hören zu,"
        " wenn jemand eine Geschichte erzählt, die niemand vorher kannte."
    )
    lines = [Line(0.0, 9.0, "speech", told)]
    assert unsupported("12 Stühle", lines) == []
    assert unsupported("Im Jahr 1887", lines) == ["1887"]
