"""The sentences of a reply: without bullets, markup, times and what leads in to them."""

from __future__ import annotations

import pytest

from silvr_cli.sentences import rows


@pytest.mark.parametrize(
    ("row", "time"),
    [
        ("In one sentence: The dome was raised.", None),
        ("**In 2 short sentences:** the dome was raised.", None),
        ("[1:05] In one sentence, the dome was raised.", 65.0),
        ("In one sentence: [1:05] The dome was raised.", 65.0),
        ("Sure! Here is the sentence: “The dome was raised.”", None),
        ("1. Summary: The dome was raised.", None),
    ],
)
def test_what_leads_in_is_taken_off(row: str, time: float | None) -> None:
    assert rows(row) == [(time, "The dome was raised.")]


@pytest.mark.parametrize(
    "row", ["In one sentence he told all.", "Here, the dome was raised.", "The answer is: no."]
)
def test_what_tells_something_stays(row: str) -> None:
    assert rows(row) == [(None, row)]


def test_a_lead_in_alone_is_nothing() -> None:
    assert rows("In one sentence:\nHere are two sentences:") == []
