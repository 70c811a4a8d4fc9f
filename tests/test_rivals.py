"""Rivals: the same told of something else, which a small model mistakes for the answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.records import Line
from silvr_cli.relevance import Index
from silvr_cli.rivals import BESIDE, rivals

QUESTION = "Where does Bob Smith keep the spare key of the library?"
ANSWER = "Bob Smith keeps the spare key of the library under a stone."
OTHERS = (
    "Ann Reed keeps the spare key of the museum in a jar.",
    "Bob Smith keeps the spare key of the harbour office in a drawer.",
)
WORDS = st.lists(st.sampled_from(["Bob", "Ann", "keeps", "key", "library", "of", "the", "12"]))


def found(*texts: str, question: str = QUESTION, kind: str = "speech") -> set[int]:
    lines = [Line(100.0 * i, 100.0 * i + 5, kind, text) for i, text in enumerate(texts)]
    return rivals(lines, question, Index(texts))


def test_the_same_of_somebody_else_is_a_rival() -> None:
    assert found(OTHERS[0], ANSWER, OTHERS[1]) == {0, 2}


def test_what_is_said_in_another_form_is_none() -> None:
    other = (
        "By the way, the key that Bob Smith mentioned was lost for years before anybody noticed it."
    )
    assert found(other, ANSWER) == set()


def test_without_a_line_that_has_most_of_the_question_nothing_is_one() -> None:
    assert found(*OTHERS, question="Who keeps keys?") == set()
    asked = "Why was the town hall closed by the mayor before the spare election?"
    assert found("The town hall is old.", "The mayor is away.", OTHERS[0], question=asked) == set()


def test_what_has_a_word_of_the_question_that_the_answer_lacks_stays() -> None:
    asked = "Where does Bob Smith keep the spare key of the library, in a jar?"
    assert found(ANSWER, OTHERS[0], OTHERS[1], question=asked) == {2}


def test_lines_beside_the_answer_belong_to_it() -> None:
    lines = [Line(0.0, 5.0, "speech", OTHERS[0]), Line(BESIDE, 20.0, "speech", ANSWER)]
    assert rivals(lines, QUESTION, Index([line.text for line in lines])) == set()


def test_rows_of_boards_are_compared_by_themselves() -> None:
    boards = (
        "Part 4: Our town | School, Anna Foster: locker 799",
        "Part 9: Our town | Harbour office, Anna Foster: locker 708",
        "Part 10: Lockers and their owners, a word of warning before we go on",
    )
    texts = [board.replace("|", "/") for board in boards]
    asked = "Which locker has Anna Foster at the harbour office?"
    assert found(*texts, question=asked, kind="screen") == {0}


def test_captions_are_no_rivals() -> None:
    assert found(OTHERS[0], ANSWER, OTHERS[1], kind="caption") == set()


@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=12))
def test_the_line_that_has_most_is_never_one(texts: list[str]) -> None:
    asked = "Where does Bob keep the key of the library?"
    index = Index(texts)
    scores = [
        sum(index.weight(t) for t in set(index.split(asked)) & set(index.split(text)))
        for text in texts
    ]
    best = max(range(len(texts)), key=scores.__getitem__)
    assert best not in found(*texts, question=asked)
