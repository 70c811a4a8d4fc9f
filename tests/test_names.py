"""Names from nowhere are found at a sentence's beginning too; ordinary words are no names."""

from __future__ import annotations

import pytest

from silvr_cli.names import foreign

TOLD = (
    "This talk was recorded by Emily Brooks at the hospital in Dublin.",
    "Lena bakes, thanks to Anna, and then we paint.",
)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Paris.", ["Paris"]),
        ("Emma Brooks recorded the talk.", ["Emma Brooks"]),
        ("It was recorded. Emma Brooks did it.", ["Emma Brooks"]),
        ("It was recorded by Emma Brooks.", ["Emma Brooks"]),
        ("In Paris they met.", ["Paris"]),
        ("Bob Smith", ["Bob Smith"]),
    ],
)
def test_a_name_from_nowhere_is_found(said: str, names: list[str]) -> None:
    assert foreign(said, TOLD) == names


@pytest.mark.parametrize(
    "said",
    [
        "Emily Brooks.",
        "In Dublin.",
        "The Dublin hospital.",
        "Baker Lena bakes.",
        "Host Anna speaks.",
        "Mr Brooks",
        "Painting.",
        "Cooking.",
        "A Painter.",
        "Yes.",
        "Nobody.",
        "Bread is baked.",
    ],
)
def test_what_begins_a_sentence_is_no_name_by_its_place_alone(said: str) -> None:
    assert foreign(said, TOLD) == []
