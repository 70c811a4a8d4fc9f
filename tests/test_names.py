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


@pytest.mark.parametrize(
    ("said", "told", "names"),
    [
        ("It was Emma.", "There were fewer of them many years ago.", ["Emma"]),
        ("He had to ask Tom.", "It lies at the bottom of the aerodrome.", ["Tom"]),
        ("They saw Rome.", "It lies at the bottom of the aerodrome.", ["Rome"]),
        ("It is in Berlin.", "Die Berliner fahren gern.", []),
        ("They went to Sea World.", "Then SeaWorld opened.", []),
        ("They went to SeaWorld.", "Then Sea World opened.", []),
        ("He met Anna.", "Then Anna’s sister came.", []),
        ("He is in Berlin.", "他住在Berlin的一个区", []),
    ],
)
def test_a_name_is_held_as_a_word_of_its_own(said: str, told: str, names: list[str]) -> None:
    assert foreign(said, [told]) == names


GERMAN = (
    "Dann wird das Brett mit zwei Schichten Farbe gestrichen und in die Werkstatt gebracht.",
    "Wegen des schlechten Wetters fuhr der Zug erst am Abend nach Hamburg.",
)


def test_nouns_of_german_are_no_names() -> None:
    assert foreign("Das Brett bekommt einen Anstrich aus Lack.", GERMAN) == []


def test_names_begin_with_any_capital() -> None:
    told = ["The talk was recorded by the sea, and then they all went home for the night."]
    assert foreign("It was recorded by Émile.", told) == ["Émile"]
    slides = ["Departures Board Lisbon Platform Departures Board Dublin Platform", "Who is it?"]
    assert foreign("It was Émile Zola.", slides) == ["Émile Zola"]
