"""Quotes that a model gives, checked against the timeline: kept, mended or dropped; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from . import evidence
from .figures import figures, stands, worth
from .names import foreign
from .records import Evidence, Line
from .relevance import bare
from .timeline import parse_clock

REPAIRABLE = 0.5
NEGATION = re.compile(
    r"\b(?:not?|never|none|nobody|nothing|nor|neither|without|cannot|\w+n['’]t"
    r"|nicht|kein\w*|nie|niemals|pas|jamais)\b"
)
# What a model copies along with a quote, and what it leaves out of one.
LABEL = re.compile(
    r"^[\s\"“'*-]*(?:\[\d[\d:.\s–-]*\]|\d[\d:.\s–-]*(?=(?:speech|screen|caption|sound|summary):))?\s*"
    r"(?:(?:speech|screen|caption|sound|summary):)?\s*"
)
GAP = re.compile(r"\.\.\.|…")
# A quote may run over so many lines.
RUN_ON = 6


def checked(
    claims: Iterable[tuple[str, str]], lines: Sequence[Line]
) -> tuple[list[Evidence], list[str]]:
    """(time, quote) claims as Evidence where the timeline holds the quote.

    A quote that is nearly there is mended to its line; one that is not, or has other numbers, names
    or negations, is dropped. The notes say what was done.
    """
    lines = evidence.own(lines)
    found, notes = [], []
    for time, claim in claims:
        quote, at = LABEL.sub("", claim), _seconds(time)
        if verbatim := _verbatim(quote, at, lines):
            found.append(verbatim)
            continue
        line, likeness = _best(quote, at, lines)
        if line is None or likeness < REPAIRABLE or _falsified(quote, line.text):
            notes.append(f'dropped evidence that the timeline does not hold: "{quote}"')
        else:
            notes.append(f'mended a quote to what the timeline says: "{quote}"')
            found.append(evidence.whole(line))
    return list(dict.fromkeys(found)), notes


def _verbatim(quote: str, at: float | None, lines: Sequence[Line]) -> Evidence | None:
    """The quote where it stands word for word, the nearest to its time; "…" may leave out some."""
    pieces = [f" {said} " for said in map(bare, GAP.split(quote)) if said]
    if not pieces:
        return None
    by_kind = [
        [n for n in lines if n.kind == kind] for kind in dict.fromkeys(n.kind for n in lines)
    ]
    for size in range(1, RUN_ON + 1):
        found = []
        runs = (alike[i : i + size] for alike in by_kind for i in range(len(alike) - size + 1))
        for run in runs:
            text = f" {' '.join(bare(line.text) for line in run)} "
            if _in_turn(pieces, text):
                found.append(Evidence(run[0].start, run[-1].end, quote, run[0].kind))
        if found:
            return min(found, key=lambda e: abs(e.start - at) if at is not None else 0.0)
    return None


def _in_turn(pieces: Sequence[str], text: str) -> bool:
    at = 0
    for piece in pieces:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece) - 1
    return True


def _falsified(quote: str, text: str) -> bool:
    """Whether a quote has numbers, names or negations that are not its line's."""
    if any(not stands(figure, worth(text)) for figure in figures(quote)) or foreign(quote, [text]):
        return True
    said, line = quote.casefold().split(), text.casefold().split()
    blocks = SequenceMatcher(None, said, line, autojunk=False).get_matching_blocks()[:-1]
    same = line[blocks[0].b : blocks[-1].b + blocks[-1].size] if blocks else line
    return len(NEGATION.findall(" ".join(said))) != len(NEGATION.findall(" ".join(same)))


def _best(quote: str, at: float | None, lines: Sequence[Line]) -> tuple[Line | None, float]:
    best: tuple[Line | None, float] = (None, 0.0)
    said = bare(quote)
    for line in lines:
        likeness = _holds(said, bare(line.text))
        if at is not None and line.start - 1 <= at < line.end + 1:
            likeness += 0.05
        if likeness > best[1]:
            best = (line, likeness)
    return best


def _holds(said: str, text: str) -> float:
    """How much of `said` stands in `text`, as a share of its characters, in order."""
    if not said:
        return 0.0
    if said in text:
        return 1.0
    blocks = SequenceMatcher(None, said, text, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 2) / len(said)


def _seconds(time: str) -> float | None:
    match = re.search(r"\d+(?::\d\d){1,2}|\d+(?:\.\d+)?", time)
    return parse_clock(match[0]) if match else None
