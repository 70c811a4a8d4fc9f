"""What a reply to a multiple choice means: never a letter that is a word, never a guess."""

from __future__ import annotations

import pytest

from silvr_cli.records import Answer
from silvr_cli.replies import alike, by_words, denies, option, without_thinking

OPTIONS = ("A man runs", "A dog sleeps", "Nobody is there", "I fall")


@pytest.mark.parametrize("reply", ["B", "(B)", "B.", "b)", "[B]", "**B**", " B\n", "B: "])
def test_a_lone_letter(reply: str) -> None:
    assert option(reply, OPTIONS) == 1


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("B. a dog sleeps", 1),
        ("Answer: C", 2),
        ("The answer is (B).", 1),
        ("The correct answer is B because the dog lies there", 1),
        ("The answer is A because he moves", 0),
        ("My final answer: D", 3),
        ("Final Answer: **D**", 3),
        ("The best option is A", 0),
        ("The best answer is: C.", 2),
        ("The correct option is: B", 1),
        ("option (d)", 3),
        ("I think it is B", 1),
        ("I would go with C.", 2),
        ("Reasoning first.\nAnswer: A. B is also possible, so the answer is B", 1),
        (r"so the answer is \boxed{C}", 2),
        ("<answer>B</answer>", 1),
        ("B\n\nExplanation: the man of A is elsewhere", 1),
    ],
)
def test_a_letter_in_prose(reply: str, index: int) -> None:
    assert option(reply, OPTIONS) == index


@pytest.mark.parametrize(
    "reply",
    ['{"answer": "C"}', '```json\n{"answer": "C"}\n```', '{"choice": "C"}', 'So: {"answer": "C."}'],
)
def test_a_letter_in_json(reply: str) -> None:
    assert option(reply, OPTIONS) == 2


def test_what_was_only_thought_does_not_count() -> None:
    assert option("<think>A? No, the answer is A.</think>B", OPTIONS) == 1
    assert option("<think>the answer is A", OPTIONS) is None


def test_thinking_that_the_prompt_began_has_only_an_end() -> None:
    """Templates of reasoning models open `<think>`: the reply begins in the middle of it."""
    assert option("It may be A.\nThe answer is A.\n</think>\n\n(B)", OPTIONS) == 1
    assert without_thinking("Hm.</think>B") == ("B", "Hm.")


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("A dog sleeps on a mat", 1),
        ("The answer is A dog sleeps", 1),
        ("a man runs", 0),
        ("I fall", 3),
        ("nobody is there.", 2),
    ],
)
def test_words_that_begin_like_a_letter(reply: str, index: int) -> None:
    assert option(reply, OPTIONS) == index


@pytest.mark.parametrize(
    "reply",
    [
        "A woman sings",
        "A man",
        "I cannot tell",
        "It is a cat",
        "A or B",
        "A and B",
        "The answer is B or C",
        "Answer: B/C",
        "E",
        "",
        "None",
    ],
)
def test_nothing_is_guessed(reply: str) -> None:
    assert option(reply, OPTIONS) is None


def test_letters_alike_are_not_words_alike() -> None:
    assert option("fake", ("cake", "accordion")) is None
    assert option("house", ("horse", "dog")) is None
    # A slip of the pen is.
    assert option("Tchaikovski", ("Tchaikovsky", "Mozart")) == 0


def test_figures_tell_options_apart() -> None:
    options = ("well over 300 million", "about 700 million", "about 90 million", "about 40 million")
    assert option("about 300 million", options) == 0
    assert option("some 3,000", ("3000 dollars", "300 dollars")) == 0
    assert option("in 1991", ("May 1990", "June 1989")) is None


@pytest.mark.parametrize(
    "reply",
    [
        "The video does not say.",
        "The video doesn’t say.",
        "The notes do not contain any information about it.",
        "The price of the boat is not mentioned in the notes.",
        "It isn't mentioned.",
        "It does not say.",
        "Not mentioned.",
        "No information is given.",
        "There is no information about the price.",
        "The speaker does not mention a price.",
        "The year is not given in the video.",
        "It cannot be determined.",
    ],
)
def test_a_denial(reply: str) -> None:
    assert denies(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "It does not contain sugar.",
        "Because the permit was not given in time.",
        "They do not provide parking.",
        "No information was lost.",
        "The contract did not specify a date.",
        "The mayor, who was not said to be ill, resigned.",
    ],
)
def test_a_negative_answer_is_no_denial(reply: str) -> None:
    assert not denies(reply)


def test_what_is_repeated_as_it_stands_is_meant() -> None:
    assert option("C. elegans", ["E. coli", "C. elegans", "S. aureus"]) == 1
    assert option("B. Obama", ["B. Obama", "G. Bush"]) == 0
    assert by_words("C++", ["C", "C++", "C#"]) == 1
    assert by_words("-5", ["5", "-5"]) == 1


@pytest.mark.parametrize(
    ("question", "one", "other", "same"),
    [
        ("Who opened the gate?", "Lena opened the gate.", "Mark opened the gate.", False),
        ("Who opened the gate?", "Lena", "It was Lena who opened it.", True),
        ("Who paid?", "Anna paid for it.", "Hanna paid for it.", False),
        ("Is the gate open?", "It was opened.", "It was not opened.", False),
        ("Is the gate open?", "It isn't open.", "It is not open.", True),
        ("Is it safe?", "Yes", "Yes, it is safe.", True),
        ("Is it safe?", "Yes, it is safe.", "No, it is not safe.", False),
        ("Which bus leaves first?", "The red bus leaves first.", "The blue bus.", False),
        ("When is it told?", "Before the break.", "After the break.", False),
        ("How much flour?", "Two pounds of flour.", "2 pounds", True),
        ("How many?", "3", "four", False),
        ("Was it cold?", "It was cold.", "It was cold.", True),
    ],
)
def test_answers_are_alike_where_they_say_the_same_of_what_is_asked(
    question: str, one: str, other: str, same: bool
) -> None:
    a, b = (Answer(question, text, "found", "high") for text in (one, other))
    assert alike(a, [a, b], question) == ([a, b] if same else [a])
    assert alike(b, [a, b], question) == ([a, b] if same else [b])
