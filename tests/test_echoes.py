"""A reply made of the prompt's example is told from one about the video."""

from __future__ import annotations

import pytest

from silvr_cli import prompts
from silvr_cli.echoes import borrowed

TOLD = ("First we sand the board.", "How is the board made?")
OPEN = prompts.load("answer_open").template
POINTS = prompts.load("summary_points").template


def test_words_of_the_example_are_named() -> None:
    assert borrowed("Two pounds of rye flour.", OPEN, TOLD) == ("pounds", "rye", "flour")
    assert borrowed("Lena sands the board.", POINTS, TOLD) == ("Lena",)
    assert borrowed("The baker cuts the dough.", POINTS, TOLD) == ("baker", "dough")


@pytest.mark.parametrize(
    "said", ["He takes the whole thing and makes a board.", "A baker sands the board.", ""]
)
def test_a_word_by_chance_is_not_borrowed(said: str) -> None:
    assert borrowed(said, POINTS, TOLD) == ()


def test_what_the_video_tells_is_its_own() -> None:
    told = ("Lena the baker mixes a dough of rye flour, two pounds.",)
    assert borrowed("Lena makes a dough of two pounds of rye flour.", POINTS, told) == ()


def test_a_prompt_without_an_example_lends_nothing() -> None:
    assert borrowed("The baker cuts the dough.", "Say {{ question }}", TOLD) == ()
