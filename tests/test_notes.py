"""Reduction by parts: every part is read, notes keep their times, lines stand behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from silvr_cli.errors import UsageError
from silvr_cli.protocols import Message, Reply, Request
from silvr_cli.records import Line, Timeline, Video
from silvr_cli.settings import Notes
from silvr_cli.stages.notes import SOURCE, read_in_turn

LINES = tuple(
    Line(i * 60.0, i * 60.0 + 5, "speech", f"we speak about subject{i} now") for i in range(40)
)
TALK = Timeline(Video("x", "talk.mp4", 2400.0), LINES)


class Reader:
    """A TextModel that notes every line about the subjects it is looking for."""

    name, slots, context_length, reading_budget, prefers_words = "reader", 2, 4096, None, True

    def __init__(self, *wanted: str, time: str | None = None) -> None:
        self.wanted, self.time = wanted, time
        self.read: list[str] = []

    def fingerprint(self) -> str:
        return "reader"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        prompt = messages[-1].content
        self.read.append(prompt)
        rows = re.findall(r"\[([\d:]+)-[\d:]+\] speech: (.*)", prompt.split("Notes from")[0])
        found = [
            f"[{self.time or at}] {text}" for at, text in rows if set(self.wanted) & {*text.split()}
        ]
        return Reply("\n".join(found) or "NOTHING")

    def close(self) -> None:
        return


@pytest.mark.parametrize("parallel", [False, True])
def test_every_part_is_read_and_notes_bring_their_lines(parallel: bool) -> None:
    model = Reader("subject3", "subject31")
    context = read_in_turn(TALK, "What of 3 and 31?", 60, model, Notes(parallel=parallel))
    assert all(any(line.text in prompt for prompt in model.read) for line in LINES)
    assert len(model.read) > 4
    assert [(n.start, n.kind) for n in context.lines if n.kind == "summary"] == [
        (180.0, "summary"),
        (1860.0, "summary"),
    ]
    assert [n.text for n in context.lines if n.kind == "speech"] == [LINES[3].text, LINES[31].text]
    assert context.plan.reduction == "segments"
    assert context.plan.tokens <= 60


def test_earlier_notes_are_carried_forward_in_turn_only() -> None:
    carried = Reader("subject3")
    read_in_turn(TALK, "What of 3?", 60, carried, Notes())
    assert "Notes from the parts before" in carried.read[-1]
    apart = Reader("subject3")
    read_in_turn(TALK, "What of 3?", 60, apart, Notes(parallel=True))
    assert not any("Notes from the parts before" in prompt for prompt in apart.read)


def test_a_time_outside_its_part_is_not_believed() -> None:
    context = read_in_turn(TALK, "What of 31?", 60, Reader("subject31", time="9:59:59"), Notes())
    assert all(line.start < 2400 for line in context.lines)


class Inventor(Reader):
    """Notes something of its own about the first part, and the line as well."""

    def __init__(self, said: str) -> None:
        super().__init__("subject3")
        self.said = said

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        reply = super().chat(messages, request)
        return Reply(f"{reply.text}\n[3:00] {self.said}" if "[3:00]" in reply.text else reply.text)


@pytest.mark.parametrize("said", ["it took 1,000 days", "spoken by Bob Smith", "it took nine days"])
def test_a_note_with_what_its_part_does_not_have_is_not_taken(said: str) -> None:
    context = read_in_turn(TALK, "What of 3?", 60, Inventor(said), Notes())
    assert [n.text for n in context.lines if n.source == SOURCE] == [LINES[3].text]
    kept = read_in_turn(TALK, "What of 3?", 60, Inventor("subject3 matters"), Notes())
    assert sum(n.source == SOURCE for n in kept.lines) == 2


def test_a_note_is_kept_with_its_line_or_not_at_all() -> None:
    model = Reader(*(f"subject{i}" for i in range(40)))
    context = read_in_turn(TALK, "What of all?", 60, model, Notes())
    notes = [n for n in context.lines if n.source == SOURCE]
    assert notes
    assert {n.start for n in notes} <= {n.start for n in context.lines if n.source != SOURCE}
    assert context.plan.tokens <= 60


def test_nothing_to_note_is_an_empty_context() -> None:
    assert read_in_turn(TALK, "What of 99?", 60, Reader("subject99"), Notes()).lines == ()


def test_a_line_over_the_budget_is_told_and_not_cut() -> None:
    with pytest.raises(UsageError, match="the budget is 5"):
        read_in_turn(TALK, "What?", 5, Reader(), Notes())
