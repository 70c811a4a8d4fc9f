"""Lines that tell the same of something else than the question asks for; pure, no model.

"Ann keeps the key in a jar" misleads a small model that is asked where Bob keeps it, though Bob's
own line stands beside it: all 13 misses in 60 needles were such (docs/lab-log.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from .records import Line
from .relevance import Index, terms
from .timeline import ROW_JOINT

# What answers has so much of the weight of the question's words, and at least so many of them.
COVERED, LEAST = 0.6, 3
# Two lines have one form when so much of their words is the same, names and numbers apart.
FORM = 0.5
# Lines that begin so near to the one that answers, in seconds, belong to it.
BESIDE = 12.0
TOLD = ("speech", "screen")
WORD = re.compile(r"\w+")


def rivals(lines: Sequence[Line], question: str, index: Index) -> set[int]:
    """The lines of the same form as the one that has most of the question's words, away from it
    in time, that have fewer of these words and no other; none where no line has most of them.

    `index` is over the lines' texts.
    """
    held: dict[int, set[str]] = {}
    weights = {term: index.weight(term) for term in terms(question) if term in index.holders}
    for term in weights:
        for i in index.holders[term]:
            held.setdefault(i, set()).add(term)
    told = [i for i in held if lines[i].kind in TOLD]
    if len(weights) < LEAST or not told:
        return set()
    weight = {i: sum(weights[term] for term in held[i]) for i in told}
    best = max(told, key=weight.__getitem__)
    most = held[best]
    if len(most) < LEAST or weight[best] < COVERED * sum(weights.values()):
        return set()
    equals = [lines[i] for i in told if held[i] == most]
    telling = max(_rows(lines[best]), key=lambda row: len(most & set(terms(row))))
    matcher = SequenceMatcher(None, b=_form(telling), autojunk=False)
    return {
        i
        for i in told
        if held[i] < most
        and all(abs(lines[i].start - line.start) > BESIDE for line in equals)
        and any(_alike(matcher, row) for row in _rows(lines[i]))
    }


def _rows(line: Line) -> list[str]:
    return line.text.split(ROW_JOINT)


def _form(row: str) -> list[str]:
    """Its words, but all names alike and all numbers alike."""
    return [
        "0" if word[0].isdigit() else "A" if word[0].isupper() else word
        for word in WORD.findall(row)
    ]


def _alike(matcher: SequenceMatcher[str], row: str) -> bool:
    """Whether the row has the form that the matcher holds; the cheap bounds of that come first."""
    matcher.set_seq1(_form(row))
    ways = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
    return all(ratio() >= FORM for ratio in ways)
