"""Numbers: the same worth however they are written, and never another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.figures import figures, stands, worth


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("17", "seventeen euros"),
        ("seventeen", "17 euros"),
        ("1.5", "one and a half cups"),
        ("2½", "two and a half cups"),
        ("1,500", "1500"),
        ("1,5", "1.5"),
        ("300,000,000", "well over 300 million hours"),
        ("three hundred million", "300,000,000 hours"),
        ("10 million", "10 to 15 million"),
        ("1984", "nineteen eighty-four"),
        ("723", "room seven two three"),
        ("25", "the twenty-fifth"),
        ("17th", "seventeenth century"),
        ("1000", "A Thousand Days"),
        ("0:45", "at 00:45"),
        ("1:05:00", "at 01:05:00"),
    ],
)
def test_a_number_is_the_same_in_other_writing(said: str, told: str) -> None:
    assert all(stands(figure, worth(told)) for figure in figures(said))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("27", "17 euros"),
        ("2", "27 euros"),
        ("150 million", "$150 billion"),
        ("1,000", "one"),
        ("0:45", "45 seconds"),
        ("eighteen", "eighty"),
        ("34", "three, four"),
    ],
)
def test_another_number_is_another(said: str, told: str) -> None:
    assert not all(stands(figure, worth(told)) for figure in figures(said))


def test_words_that_number_nothing_are_no_figures() -> None:
    assert figures("One of them did it half the time, and no one saw the first.") == []
    told = figures("twenty-five, half of the two hundred and one 1.5 kg")
    assert [figure.text for figure in told] == ["twenty-five", "two hundred and one", "1.5"]


@given(st.text(max_size=60))
def test_every_figure_stands_in_its_own_text(text: str) -> None:
    for figure in figures(text):
        assert text[figure.start : figure.end] == figure.text
        assert stands(figure, worth(text))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("It opens at 9:30.", "Interviews begin at half past nine."),
        ("It opens at 9:30.", "Interviews begin at nine thirty."),
        ("It opens at 8:45.", "We meet at a quarter to nine."),
        ("It opens at 9:00.", "We meet at nine o’clock."),
        ("It opens at 3 pm.", "Opening hours: 15:00 to 18:00"),
        ("It opens at 15:00.", "We open at 3 p.m. sharp."),
        ("It was done 2 times.", "They rang twice."),
        ("It costs 40,000 euros.", "The budget is 40k."),
        ("It grew by 2.5 percent.", "It grew by two point five percent."),
    ],
)
def test_what_words_tell_is_told(said: str, told: str) -> None:
    assert all(stands(figure, worth(told)) for figure in figures(said))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("It opens at 9:00.", "Nine people came."),
        ("It opens at 9:15.", "Interviews begin at half past nine."),
        ("It opens at 3 pm.", "We open at 4 p.m."),
    ],
)
def test_what_words_do_not_tell_is_not(said: str, told: str) -> None:
    assert not all(stands(figure, worth(told)) for figure in figures(said))
