"""What an answer rests on: its numbers, names and words held against the timeline; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from .figures import Figure, figures, stands, worth
from .names import foreign
from .records import Evidence, Line
from .relevance import UNSPACED, Index, bare, is_english, pairs, terms
from .temporal import asks
from .timeline import clock

# What may follow a number and tell what it measures.
UNIT = re.compile(
    r"[ -]?(%|percent|years?|months?|weeks?|days?|hours?|minutes?|seconds?"
    r"|euros?|miles?|km|kg|pounds?|platforms?|pages?)(?!\w)",
    re.IGNORECASE,
)
# A plain attribute of a thing: such questions can be denied where no stretch tells of both.
ATTRIBUTE = re.compile(
    r"\bwhat(?:'s| is| was| are) the (?:[\w-]+ ){0,2}(?:name|price|cost|fee|number|address"
    r"|colou?r|age|height|weight|size|width|speed|birthday|date|e-?mail|salary|password|code) of\b",
    re.IGNORECASE,
)
# Words that ask for an attribute and stand beside any other thing too.
ASKED_FOR = frozenset(
    terms(
        "name price cost fee number address colour color age height weight size width speed"
        " birthday date email e-mail salary password code"
    )
)
# Numbers that speech tells in words.
IN_WORDS = re.compile(r"\d{1,3}")
# Seconds and lines around a line that tell of one thing; the share (by rarity) to be told there.
AROUND, LINES_AROUND, TOLD_SHARE = 20.0, 8, 0.5
# Where lines stand in a timeline as a small model's notes, they bear nothing out.
NOTED = "notes"
# A number has to stand by so much (by rarity) of the words that the best place has together.
BESIDE, NEIGHBOURS = 0.4, 1
# Characters of an answer on both sides of a number that tell what it is the number of.
NEAR_BY = 60
SENTENCE = re.compile(r"(?<=[.!?;])\s+")
# Such questions are answered by the times of lines as well.
TIMED = re.compile(
    r"\b(?:when|(?:what|which) (?:time|point|minute|moment|second)|where in|how long|first|last"
    r"|next|before|after)\b",
    re.IGNORECASE,
)
# What such a question asks for the end of, and what stands between the two ends of a stretch: no
# line has to tell of what is asked where it ends.
ENDS = re.compile(r"\b(?:until|till|end(?:s|ed|ing)?|finish\w*|stop(?:s|ped)?)\b", re.IGNORECASE)
TO = re.compile(
    r"[^.!?;]{0,20}(?:[-–—]|\b(?:to|until|till|through|ends?|ended|finish\w*|stops?)\b)[^.!?;]{0,20}",
    re.IGNORECASE,
)
# Figures that may be summed, or counted up to so many, stand nowhere.
SUMMED = re.compile(r"\b(?:total|altogether|combined|in all|sum)\b", re.IGNORECASE)
COUNTED, COUNTABLE = re.compile(r"\bhow (?:many|often)\b", re.IGNORECASE), 20.0
NAME = re.compile(
    r"(?:[A-Z][\w.'’-]*|of|the|de|van|von)(?: (?:[A-Z][\w.'’-]*|of|the|de|van|von)){0,3}"
)
# So many words in a row are copied; in a sentence as long, so large a share in rows of three.
COPIED, COPIED_ROW, COPIED_SHARE = 8, 3, 0.85
# Without function words to tell it by, a text of so many words is in another language.
TOLD_APART, FUNCTION_WORDS = 20, 0.08
ROOT = 5


def supporting(lines: Sequence[Line], question: str, answer: str, most: int = 2) -> list[Evidence]:
    """What an answer rests on: lines that hold its words near the question's, the best first."""
    lines = own(lines)
    index = Index([line.text for line in lines])
    answers, asked = index.scores(answer), index.scores(question)
    near = [
        a + 0.3 * max(asked[max(0, i - 1) : i + 2], default=0.0) if a else 0.0
        for i, a in enumerate(answers)
    ]
    order = sorted((i for i, score in enumerate(near) if score), key=lambda i: -near[i])
    best = near[order[0]] if order else 0.0
    chosen = [i for i in order[:most] if near[i] >= 0.6 * best]
    return [whole(lines[i]) for i in chosen]


def unsupported(answer: str, lines: Iterable[Line], rests: Iterable[Evidence] = ()) -> list[str]:
    """Numbers in the answer that stand in no line, nor as a time of the spans it rests on."""
    told = [n.text for n in lines]
    have = frozenset[str]().union(*map(worth, told), *map(_times, rests))
    missing = [figure.text for figure in figures(answer) if not stands(figure, have)]
    if missing and _not_english(" ".join(told)):
        # Other languages' number words are not read: "12" may be told as "zwölf".
        return [text for text in missing if not IN_WORDS.fullmatch(text)]
    return missing


def options_told(question: str, choices: Sequence[str], lines: Sequence[Line]) -> list[int]:
    """The options, all of them with figures or all names, that stand in the lines, by their
    indices; [] where what is asked may be counted or reckoned.
    """
    if asks(question) or SUMMED.search(question):
        return []
    if all(map(figures, choices)):
        numbers = (float(n) for choice in choices for n in worth(choice) if n[0].isdigit())
        if COUNTED.search(question) and min(numbers, default=0.0) <= COUNTABLE:
            return []
        return [i for i, choice in enumerate(choices) if not unsupported(choice, lines)]
    if not all(map(NAME.fullmatch, choices)):
        return []
    read = {term for line in own(lines) for term in terms(line.text)}
    return [i for i, choice in enumerate(choices) if read.issuperset(terms(choice))]


def mismeasured(text: str, lines: Iterable[Line]) -> list[str]:
    """Measures in the text, such as "20 years", that no line has, though it may have the number."""
    have: dict[str, set[str]] = {}
    for line in lines:
        for figure, unit in _measures(line.text, loose=True):
            have.setdefault(_measure(unit), set()).update(worth(figure.text))
    return [
        f"{figure.text} {unit}"
        for figure, unit in _measures(text)
        if not stands(figure, have.get(_measure(unit), set()))
    ]


def grounded(text: str, lines: Sequence[Line], share: float = 0.4) -> bool:
    """Whether so large a share of the text's telling words stand in the lines.

    In other languages than English their beginnings have to; what is in English and tells of
    another language cannot be held against it, and is not grounded.
    """
    told = " ".join(line.text for line in lines)
    if is_english(text) and is_english(told):
        have, said = set(terms(told)), set(terms(text))
    elif is_english(text) and _not_english(told):
        return False
    else:
        have, said = set(_roots(told)), set(_roots(text))
    return len(said & have) >= share * len(said)


def copied(text: str, lines: Iterable[Line], run: int = COPIED) -> bool:
    """Whether so many words in a row stand in the lines, across line breaks too; or nearly all
    of as many words do, a few at a time.
    """
    words = bare(text).split()
    by_kind: dict[str, list[str]] = {}
    for line in lines:
        by_kind.setdefault(line.kind, []).append(bare(line.text))
    told = [f" {' '.join(texts)} " for texts in by_kind.values()]
    if any(_rows_in(words, run, text) for text in told):
        return True
    nearly = COPIED_SHARE * len(words) if len(words) >= run else math.inf
    return any(len(_rows_in(words, COPIED_ROW, text)) >= nearly for text in told)


def strange(
    answer: str, question: str, lines: Sequence[Line], rests: Iterable[Evidence] = ()
) -> list[str]:
    """Numbers and names (capitalized words) of the answer that lines and question do not have."""
    told = [*own(lines), Line(0.0, 0.0, "speech", question)]
    names = foreign(answer, [line.text for line in told])
    return [*unsupported(answer, told, rests), *names]


def resting(
    answer: str, question: str, lines: Sequence[Line], rests: Sequence[Evidence], cited: bool
) -> tuple[list[Evidence], list[str]]:
    """What an answer rests on, with the lines that bear its numbers out; and those of its numbers
    and names that no line does. Quotes that a model `cited` bear out what stands in them.
    """
    lines = own(lines)
    timed = bool(TIMED.search(question))
    wrong = strange(answer, question, lines, [*rests, *(map(whole, lines) if timed else ())])
    have = worth(question).union(*map(_times, rests))
    have = have.union(*(worth(r.quote) for r in rests)) if cited else have
    index, found, before = Index([line.text for line in lines]), list(rests), ""
    for figure in figures(answer):
        when = timed and ":" in figure.text
        ends = when and bool(before and TO.fullmatch(answer, len(before), figure.start))
        before = answer[: figure.end] if when else before
        # Lines that nobody cited were chosen by their words, and bear a time out as others do.
        told = worth(question) if when and not cited else have
        if figure.text in wrong or ends or stands(figure, told):
            continue
        if when and ENDS.search(question):
            line = next((n for n in lines if stands(figure, _times(n))), None)
        else:
            line = _bearing(figure, (_around(figure, answer), question), lines, index, when)
        if line is None:
            wrong.append(figure.text)
        elif not any(r.start <= line.start and line.end <= r.end for r in found):
            found.append(whole(line))
    return found, wrong


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


def own(lines: Sequence[Line]) -> list[Line]:
    """The lines without a small model's notes."""
    return [line for line in lines if line.source != NOTED]


def _bearing(
    figure: Figure, wordings: Sequence[str], lines: Sequence[Line], index: Index, timed: bool
) -> Line | None:
    """The line that has the number beside the other words of a wording, the first that does; where
    `timed`, as one of its own times, too, and best as its beginning.
    """
    own = [worth(n.text) | _times(n) if timed else worth(n.text) for n in lines]
    holding = [i for i, numbers in enumerate(own) if stands(figure, numbers)]
    begun = {i for i in holding if timed and stands(figure, worth(clock(lines[i].start)))}
    known = False
    for wording in wordings:
        numbers = {term for number in figures(wording) for term in terms(number.text)}
        weights = {t: index.weight(t) for t in terms(wording) if t not in numbers}
        beside = partial(_beside, weights={t: w for t, w in weights.items() if w}, index=index)
        best = max((beside(i) for t in weights for i in index.holders.get(t, ())), default=0.0)
        told = [i for i in holding if beside(i) >= BESIDE * best]
        if best and told:
            return lines[max(told, key=lambda i: (i in begun, beside(i)))]
        known = known or best > 0
    return None if known or not holding else lines[holding[0]]


def _times(span: Line | Evidence) -> frozenset[str]:
    """Its start and end as times of the video alone: five minutes are no five of anything."""
    return frozenset(t for t in worth(f"{clock(span.start)} {clock(span.end)}") if t[0] == "t")


def _around(figure: Figure, text: str) -> str:
    """What is said of a number: its sentence, as far as it is near."""
    before = SENTENCE.split(text[max(0, figure.start - NEAR_BY) : figure.start])[-1]
    return before + SENTENCE.split(text[figure.start : figure.end + NEAR_BY])[0]


def _beside(at: int, weights: Mapping[str, float], index: Index) -> float:
    """How much of the weights stands at a line or its neighbours."""
    near = range(at - NEIGHBOURS, at + NEIGHBOURS + 1)
    return sum(w for t, w in weights.items() if any(i in index.holders[t] for i in near))


def _measures(text: str, loose: bool = False) -> list[tuple[Figure, str]]:
    found = []
    for figure in figures(text, loose):
        unit = UNIT.match(text, figure.end)
        if unit:
            found.append((figure, unit[1]))
    return found


def _measure(unit: str) -> str:
    return unit.casefold().rstrip("s").replace("%", "percent")


def _rows_in(words: Sequence[str], row: int, whole: str) -> set[int]:
    """The places of words that stand in the text with others, so many in a row."""
    starts = range(len(words) - row + 1)
    held = (i for i in starts if f" {' '.join(words[i : i + row])} " in whole)
    return {i + k for i in held for k in range(row)}


def _not_english(text: str) -> bool:
    words = bare(text).split()
    return len(words) >= TOLD_APART and not is_english(text, FUNCTION_WORDS)


def _roots(text: str) -> list[str]:
    """How words begin; for scripts without spaces between words, their letters two by two."""
    found = []
    for word in bare(text).split():
        if UNSPACED.search(word):
            found += pairs(word)
        elif len(word) > 3 and terms(word):
            found.append(word[:ROOT])
    return found


def whole(line: Line) -> Evidence:
    """A line as evidence, with all of its words."""
    return Evidence(line.start, line.end, line.text, line.kind)
