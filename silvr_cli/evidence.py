"""What an answer rests on: quotes checked against the timeline, numbers against quotes; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from .records import Evidence, Line
from .relevance import Index, bare, is_english, terms
from .timeline import clock, parse_clock

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
# A capitalized word that does not begin a sentence, with those that follow it.
NAME = re.compile(r"(?<![.!?]\s)(?<!^)(?<![\w\"“‘'])[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+)*")
MEASURED = re.compile(
    r"(\d+(?:[.,]\d+)*)[ -]?(%|percent|years?|months?|weeks?|days?|hours?|minutes?|seconds?"
    r"|millions?|billions?|trillions?|euros?|miles?|km|kg|pounds?|platforms?|pages?)(?!\w)",
    re.IGNORECASE,
)
# A plain attribute of a thing: such questions can be denied where no stretch tells of both.
ATTRIBUTE = re.compile(
    r"\bwhat(?:'s| is| was| are) the (?:[\w-]+ ){0,2}(?:name|price|cost|fee|number|address"
    r"|colou?r|age|height|weight|size|width|speed|birthday|date|e-?mail|salary|password|code) of\b",
    re.IGNORECASE,
)
# Words that ask for an attribute and stand beside any other thing too.
ASKED_FOR = frozenset(["name", "number", "colour", "color", "code", "date"])
# Seconds and lines around a line that tell of one thing; the share (by rarity) to be told there.
AROUND, LINES_AROUND, TOLD_SHARE = 20.0, 8, 0.5
QUOTED_WELL = 0.8
REPAIRABLE = 0.5


def supporting(lines: Sequence[Line], question: str, answer: str, most: int = 2) -> list[Evidence]:
    """What an answer rests on: lines that hold its words near the question's, the best first."""
    index = Index([line.text for line in lines])
    answers, asked = index.scores(answer), index.scores(question)
    near = [
        a + 0.3 * max(asked[max(0, i - 1) : i + 2], default=0.0) if a else 0.0
        for i, a in enumerate(answers)
    ]
    order = sorted((i for i, score in enumerate(near) if score), key=lambda i: -near[i])
    best = near[order[0]] if order else 0.0
    chosen = [i for i in order[:most] if near[i] >= 0.6 * best]
    return [_whole(lines[i]) for i in chosen]


def checked(
    claims: Iterable[tuple[str, str]], lines: Sequence[Line]
) -> tuple[list[Evidence], list[str]]:
    """(time, quote) claims as Evidence where the timeline holds the quote.

    A quote that is nearly there is mended to its line; one that is not is dropped. The notes say
    what was done.
    """
    found, notes = [], []
    for time, quote in claims:
        line, likeness = _best(quote, _seconds(time), lines)
        if line is None or likeness < REPAIRABLE:
            notes.append(f'dropped evidence that the timeline does not hold: "{quote}"')
        elif likeness < QUOTED_WELL:
            notes.append(f'mended a quote to what the timeline says: "{quote}"')
            found.append(_whole(line))
        else:
            found.append(Evidence(line.start, line.end, quote, line.kind))
    return list(dict.fromkeys(found)), notes


def unsupported(answer: str, lines: Iterable[Line], rests: Iterable[Evidence] = ()) -> list[str]:
    """Numbers in the answer that stand in no line, nor as a time of the spans it rests on."""
    times = (f"{clock(span.start)} {clock(span.end)}" for span in rests)
    have = {_number(n) for text in (*(n.text for n in lines), *times) for n in NUMBER.findall(text)}
    return [n for n in NUMBER.findall(answer) if _number(n) not in have]


def mismeasured(text: str, lines: Iterable[Line]) -> list[str]:
    """Measures in the text, such as "20 years", that no line has, though it may have the number."""
    have = {_measure(n, unit) for line in lines for n, unit in MEASURED.findall(line.text)}
    told = MEASURED.findall(text)
    return [f"{n} {unit}" for n, unit in told if _measure(n, unit) not in have]


def grounded(text: str, lines: Sequence[Line], share: float = 0.4) -> bool:
    """Whether so large a share of the text's telling words stand in the lines.

    True where it cannot be told: words can be held against words in English alone.
    """
    told = " ".join(line.text for line in lines)
    if not (is_english(text) and is_english(told)):
        return True
    have, said = set(terms(told)), set(terms(text))
    return len(said & have) >= share * len(said)


def copied(text: str, lines: Iterable[Line], run: int = 8) -> bool:
    """Whether so many words in a row stand in the lines, across line breaks too."""
    words = bare(text).split()
    by_kind: dict[str, list[str]] = {}
    for line in lines:
        by_kind.setdefault(line.kind, []).append(bare(line.text))
    told = [f" {' '.join(texts)} " for texts in by_kind.values()]
    runs = (f" {' '.join(words[i : i + run])} " for i in range(len(words) - run + 1))
    return any(some in whole for some in runs for whole in told)


def strange(
    answer: str, question: str, lines: Sequence[Line], rests: Iterable[Evidence] = ()
) -> list[str]:
    """Numbers and names (capitalized words) of the answer that lines and question do not have."""
    asked = [Line(0.0, 0.0, "speech", question)]
    text = " ".join(bare(line.text) for line in (*lines, *asked))
    squeezed = text.replace(" ", "")
    names = [
        name
        for name in NAME.findall(answer)
        if bare(name) not in text and bare(name).replace(" ", "") not in squeezed
    ]
    return [*unsupported(answer, [*lines, *asked], rests), *dict.fromkeys(names)]


def repeats(answer: str, question: str) -> bool:
    """Whether an answer is the question again, in any language, or one to a who, what, which,
    where, when or how that holds no word of its own.
    """
    if bare(answer) == bare(question):
        return True
    asks = re.search(r"\b(who|whom|whose|what|which|where|when|why|how)\b", question, re.IGNORECASE)
    said = terms(answer)
    return bool(asks and said) and set(said) <= set(terms(question))


def apart(question: str, lines: Sequence[Line], index: Index) -> tuple[str, ...]:
    """The words of a question for a thing's plain attribute that are told nowhere near the others,
    if these are half of it or more; `index` is of the lines. () for all other questions.
    """
    if not ATTRIBUTE.search(question):
        return ()
    asked = list(dict.fromkeys(terms(question)))
    asked = [term for term in asked if term not in ASKED_FOR] or asked
    # A word that the video nowhere has is as rare as can be.
    weights = {term: index.weight(term) or math.log(2 + 2 * len(lines)) for term in asked}
    best: set[str] = set()
    for place in {i for term in asked for i in index.holders.get(term, ())}:
        near = range(max(0, place - LINES_AROUND), min(len(lines), place + LINES_AROUND + 1))
        close = (i for i in near if abs(lines[i].start - lines[place].start) <= AROUND)
        told = {term for i in close for term in asked if i in index.holders.get(term, ())}
        best = max(best, told, key=lambda found: sum(weights[term] for term in found))
    if sum(weights[term] for term in best) >= TOLD_SHARE * sum(weights.values()):
        return ()
    return tuple(term for term in asked if term not in best)


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


def _whole(line: Line) -> Evidence:
    return Evidence(line.start, line.end, line.text, line.kind)


def _seconds(time: str) -> float | None:
    match = re.search(r"\d+(?::\d\d){1,2}|\d+(?:\.\d+)?", time)
    return parse_clock(match[0]) if match else None


def _number(text: str) -> str:
    return text.replace(",", "").rstrip(".:")


def _measure(number: str, unit: str) -> tuple[str, str]:
    return _number(number), unit.casefold().rstrip("s").replace("%", "percent")
