"""A long timeline read in turn: notes on what bears on the question, with their times.

TDC's way with text that does not fit at its coarsest: windows in turn, notes carried forward; or
all windows side by side, joined afterwards. Knows the TextModel protocol, no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .. import evidence, prompts, replies
from ..errors import UsageError
from ..inflight import in_flight
from ..protocols import Message, Request, TextModel
from ..records import Context, Line, Plan, Timeline
from ..settings import Notes
from ..timeline import as_text, line_text, parse_clock, window

NOTE = re.compile(r"^\W*\[?(\d+(?::\d\d){1,2})(?:\s*-\s*\d+(?::\d\d){1,2})?\]?\W*(.+)$")
SOURCE = evidence.NOTED
# What a line break may cost, and lines this near to a note go with it, in seconds.
LINE_BREAK, NEAR = 1, 2.0


def read_in_turn(
    timeline: Timeline, question: str, budget: int, model: TextModel, settings: Notes
) -> Context:
    """Notes from every window, and the lines that they were taken from, within `budget` tokens.

    Raises UsageError when one line alone is over the budget, ModelError as the model does.
    """
    windows = list(_windows(timeline.lines, budget, model))
    if settings.parallel:
        taken = dict(
            in_flight(
                lambda i: _noted(windows[i], question, "", model, settings),
                range(len(windows)),
                model.slots,
            )
        )
        notes = [note for i in sorted(taken) for note in taken[i]]
    else:
        notes = []
        for part in windows:
            before = _latest(notes, budget // 4, model)
            notes += _noted(part, question, before, model, settings)
    kept = _within(notes, timeline.lines, budget, model)
    text = as_text(kept)
    reason = f"read in {len(windows)} parts, {len(notes)} notes taken"
    left_out = len(timeline.lines) - sum(line.source != SOURCE for line in kept)
    said = (f"{left_out} lines but for what the notes hold",) if left_out else ()
    tokens = model.count([text])[0]
    plan = Plan("segments", reason, budget, tokens, len(kept), len(timeline.lines), said)
    return Context(text, tuple(kept), plan)


def _windows(lines: Sequence[Line], budget: int, model: TextModel) -> Iterator[tuple[Line, ...]]:
    """The lines cut into runs that each fit the budget, in order."""
    part: list[Line] = []
    size = 0
    for line, cost in zip(lines, _costs(lines, model), strict=True):
        if cost > budget:
            raise UsageError(
                f"the line at {line.start:.0f} s has {cost} tokens and the budget is {budget}",
                "raise --budget",
            )
        if size + cost > budget:
            yield tuple(part)
            part, size = [], 0
        part.append(line)
        size += cost
    if part:
        yield tuple(part)


def _noted(
    part: Sequence[Line], question: str, before: str, model: TextModel, settings: Notes
) -> list[Line]:
    """One window's notes; a time that is not in the window is taken for the window's own.

    A note with numbers or names that the window does not have is not taken.
    """
    prompt = prompts.load("notes")
    filled = prompt.fill(context=prompts.fenced(as_text(part)), question=question, before=before)
    reply = model.chat([Message("user", filled)], Request(settings.max_tokens))
    text, _ = replies.without_thinking(reply.text)
    start, end = part[0].start, max(line.end for line in part)
    found = []
    for row in text.splitlines():
        match = NOTE.match(row.strip())
        if match and "NOTHING" not in row and not evidence.strange(match[2], "", part):
            at = parse_clock(match[1])
            at = at if start - 1 <= at <= end else start
            found.append(Line(at, max(at, min(end, at + 1)), "summary", match[2], None, SOURCE))
    return found


def _within(
    notes: Sequence[Line], lines: Sequence[Line], budget: int, model: TextModel
) -> list[Line]:
    """Notes, each with the line that it rests on, and the lines around them as far as there is
    room: answers are checked by these, never by a note.
    """
    room, kept, around = budget, dict[Line, None](), dict[Line, None]()
    for note in notes:
        near = window(lines, note.start - NEAR, note.end + NEAR)
        pair = [n for n in (note, *_behind(note, near)) if n not in kept]
        cost = sum(_costs(pair, model))
        if cost <= room:
            kept.update(dict.fromkeys(pair))
            around.update(dict.fromkeys(near))
            room -= cost
    for line, cost in zip(around, _costs(list(around), model), strict=True):
        if line not in kept and cost <= room:
            kept[line] = None
            room -= cost
    return sorted(kept, key=lambda line: (line.start, line.end, line.kind))


def _behind(note: Line, near: Sequence[Line]) -> list[Line]:
    """The line near a note that bears it out best, else the first."""
    rests = evidence.supporting(near, note.text, note.text, 1)
    held = (n for n in near if rests and (n.start, n.text) == (rests[0].start, rests[0].quote))
    return [next(held, near[0])] if near else []


def _latest(notes: Sequence[Line], room: int, model: TextModel) -> str:
    """The last notes that fit, in order, for the next window."""
    kept: list[Line] = []
    for note, cost in zip(reversed(notes), reversed(_costs(notes, model)), strict=True):
        room -= cost
        if room < 0:
            break
        kept.insert(0, note)
    return as_text(replace(note, source="") for note in kept)


def _costs(lines: Sequence[Line], model: TextModel) -> list[int]:
    return [cost + LINE_BREAK for cost in model.count([line_text(line) for line in lines])]
