"""Announcements and instructions are counted, instructions in tutorials only."""

from __future__ import annotations

from silvr_cli.delivery import MOST, announced, instructed

TUTORIAL = ["Click the button.", "Then drag the slider.", "The sky is pale."]
TALK = ["The sky is pale.", "Turn to the harbour.", *["Boats come and go."] * 20]


def test_what_comes_later_or_came_before_is_announced() -> None:
    said = ["In this video you'll learn about masks.", "Masks hide pixels.", "That's it, thanks!"]
    assert announced(said) == [2, 0, 2]


def test_instructions_count_where_many_sentences_instruct() -> None:
    assert instructed(TUTORIAL) == [2, 2, 0]
    assert instructed(TALK) == [0] * len(TALK)


def test_no_sentence_counts_for_more_than_so_much() -> None:
    assert instructed(["click " * 9]) == [MOST]


def test_nothing_said_is_nothing_counted() -> None:
    assert announced([]) == instructed([]) == []
