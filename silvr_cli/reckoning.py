"""What times tell of questions that quote no title, or leave open what they ask for: when a part
begins, how long it lasts, what comes after it, how often a word is said, how many slides there are.

Rules for English. Where a rule is not sure it tells nothing, and the model is asked. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from .evidence import mismeasured
from .figures import worth
from .focus import SENTENCE
from .records import Confidence, Line, Settled
from .relevance import bare, terms
from .temporal import (
    AHEAD,
    BEHIND,
    ENDS,
    FRAME,
    LATEST,
    QUOTED,
    SAID,
    TWISTED,
    UNITS,
    asks,
    moments,
    occurrences,
    timely,
)
from .timeline import clock, sees, window
from .titled import SOURCE, called, has_word, head, parts

PART = re.compile(r"\b(?:part|section|segment|chapter|slide)s?\b", re.IGNORECASE)
SPOKEN = re.compile(
    r"\b(?:mention\w*|sa(?:y|ys|id)|spoken|talk\w*|discuss\w*|explain\w*|told)\b", re.IGNORECASE
)
# A question for a stretch of the video, not for what is told: not "How long does the ride take?".
SEEN = re.compile(
    r"\b(?:part|section|segment|chapter|slide|scene|clip|video|picture|screen|shown|appear"
    r"|visible)\b",
    re.IGNORECASE,
)
NUMBERED = re.compile(r"\bhow many (?:\w+ ){0,2}(?:slide|part|chapter)s\b", re.IGNORECASE)
NTH = re.compile(
    r"\W*(?:what|which)(?:'s| is| was) the (\w+) (?:slide|part|section|chapter)"
    r"(?: about| called)?\W*",
    re.IGNORECASE,
)
ARTICLE = re.compile(r"^(?:the|an?) (?=.)")
# What begins and ends as a sentence does: half of one is no answer.
WHOLE = re.compile(r"[\"'“(]?[A-Z\d].*[.!?][\"'”)]?")
WHAT_IS_SAID = re.compile(
    r"\bwhat(?:'s| is| was| does| do| did) (?:\w+ )?(?:said|say|spoken)\b", re.IGNORECASE
)
# Not at a time but from it on or up to it.
BOUND = re.compile(r"\b(?:from|since|until|till|up to|by|around|to)\b", re.IGNORECASE)
# A sentence that itself tells what comes before or after.
TURNS = re.compile(
    r"\b(?:(?:after|before)(?! (?:that|this)\b)|once|until|when|while|as soon as)\b", re.IGNORECASE
)
# So many titles, or times, are named one by one.
LISTED = 12
NOT_TOLD = re.compile(
    r"\b(?:not|never|\w+n['’]t|except)\b.*\b(?:mention\w*|said|told|named|shown|listed|discuss\w*"
    r"|cover\w*|talked about|spoken)\b|\bexcept\b",
    re.IGNORECASE,
)
WHOLE_VIDEO = re.compile(
    r"\W*(?:how long (?:is|was) (?:the|this) (?:whole |entire )?(video|film|movie|recording|clip)"
    r"(?: in total| altogether)?|(?:when|at (?:what|which) time) does (?:the|this) "
    r"(?:whole |entire )?(video|film|movie|recording|clip) end)\W*",
    re.IGNORECASE,
)


def settled(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    """The answer that follows from times alone; None unless the question names one part, sentence
    or word of the timeline and asks nothing else of it.
    """
    kind, rest = asks(question), SAID.sub('""', question)
    if TWISTED.search(rest):
        return None
    other = (BEHIND, AHEAD, LATEST) if kind == "when" else (BEHIND, AHEAD)
    if kind in ("when", "how long") and any(pattern.search(rest) for pattern in other):
        return None
    part = named(question, lines) if kind not in ("", "count") else None
    if kind == "when" and part:
        return _when(question, choices, part)
    if kind == "how long" and part and not choices and _of_part(question):
        return Settled(f"{_length(part)}, from {clock(part.start)}", None, (part,), _sure(question))
    if kind == "order":
        return _beside(question, choices, part, lines)
    return _count(question, choices, lines) if kind == "count" else None


def said_at(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    """What is said at the one time that a question names, if it asks nothing else."""
    times = moments(question, lines)
    if any(pattern.search(question) for pattern in (BEHIND, AHEAD, BOUND)):
        return None
    if choices or len(times) != 1 or not WHAT_IS_SAID.search(question):
        return None
    if set(terms(question)) - {clock(times[0])}:
        return None
    said = tuple(n for n in window(lines, times[0], times[0] + 1) if n.kind == "speech")
    return Settled(" ".join(n.text for n in said), None, said) if said else None


def unsaid(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    """The only option that stands nowhere, where the question asks for what is not told."""
    if len(choices) < 3 or not NOT_TOLD.search(SAID.sub('""', question)):
        return None
    told = {term for n in lines for term in terms(n.text)}
    missing = [i for i, choice in enumerate(choices) if told.isdisjoint(terms(choice))]
    there = [i for i, choice in enumerate(choices) if told.issuperset(terms(choice))]
    if len(missing) != 1 or len(there) != len(choices) - 1:
        return None
    return Settled(choices[missing[0]], missing[0], (), "medium")


def whole(question: str, choices: Sequence[str], length: float) -> Settled | None:
    """How long the video is, in seconds `length`, or when it ends."""
    asked = WHOLE_VIDEO.fullmatch(question)
    if not asked or choices or not length:
        return None
    line = Line(0.0, length, "summary", f"the {(asked[1] or asked[2]).casefold()}", None, SOURCE)
    return Settled(_length(line) if asked[1] else clock(length), None, ())


def derived(question: str, choices: Sequence[str], lines: Sequence[Line]) -> list[Line]:
    """What can be worked out, as lines for models that decide by themselves; mostly []."""
    kind = asks(question)
    part = named(question, lines) if kind in ("when", "how long") else None
    if part:
        told = f'"{head(part)}" is shown from {clock(part.start)} to {clock(part.end)}'
        return [Line(part.start, part.end, "summary", f"{told}: {_length(part)}", None, SOURCE)]
    found = settled(question, choices, lines) if kind in ("order", "count") else None
    if not found:
        return []
    start, end = min(n.start for n in found.lines), max(n.end for n in found.lines)
    anchor = "" if kind == "count" else f" {_asked_after(question)}"
    told = f"worked out from the times{anchor}: {found.text}"
    return [Line(start, end, "summary", told, None, SOURCE)]


def overlong(answer: str, question: str, lines: Sequence[Line], length: float) -> list[str]:
    """Stretches of time in an answer to how long something is seen that are longer than the video
    (`length`, in seconds) and that nobody tells.
    """
    if asks(question) != "how long" or not SEEN.search(question) or not length:
        return []
    return [told for told in mismeasured(answer, lines) if _seconds(told) > length]


def _seconds(told: str) -> float:
    number, _, unit = told.rpartition(" ")
    value = max(map(float, worth(number)), default=0.0)
    return value * UNITS.get(unit.casefold().rstrip("s"), 0.0)


# -- parts


def named(question: str, lines: Sequence[Line]) -> Line | None:
    """The titled part that the question names, the first of its title; None where it asks anything
    besides, or none.
    """
    told, asked = f" {bare(question)} ", set(terms(question)) - FRAME
    held = [
        (title, part)
        for part in parts(lines)
        for title in _titles(part)
        if f" {title} " in told and asked <= set(terms(title))
    ]
    # A chapter of the file is surer than a title on screen, and the longest title is meant.
    held.sort(key=lambda each: (-len(each[0]), each[1].kind != "summary", each[1].start))
    return held[0][1] if held else None


def _titles(part: Line) -> Iterator[str]:
    """The ways to call a part: by its first row or its first two, without an article."""
    for title in called(part):
        if set(terms(title)) - FRAME:
            yield ARTICLE.sub("", title)


def _of_part(question: str) -> bool:
    """Whether it asks after a part as such, and not after what is said of its subject."""
    if PART.search(question):
        return True
    return bool(SEEN.search(question) and not SPOKEN.search(question))


def _when(question: str, choices: Sequence[str], part: Line) -> Settled | None:
    """When a part begins, or ends where that is asked."""
    rest = f" {bare(question)} "
    for title in _titles(part):
        rest = rest.replace(f" {title} ", " ")
    ends = bool(ENDS.search(rest))
    # A quoted title's beginning is settled by itself, whatever the question calls it.
    if not _of_part(question) or (QUOTED.search(question) and not ends):
        return None
    at = part.end if ends else part.start
    if not choices:
        return Settled(clock(at), None, (part,), _sure(question))
    index = timely(at, choices)
    return None if index is None else Settled(choices[index], index, (part,), _sure(question))


def _sure(question: str) -> Confidence:
    return "high" if PART.search(question) else "medium"


def _length(part: Line) -> str:
    """How long a part lasts, by the whole seconds that its times are told in."""
    minutes, seconds = divmod(int(part.end) - int(part.start), 60)
    hours, minutes = divmod(minutes, 60)
    told = ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
    return " ".join(f"{n} {unit}{'s' * (n != 1)}" for n, unit in told if n) or "0 seconds"


# -- order


def _asked_after(question: str) -> str:
    """From "after" or "before" on, without what it ends with."""
    bounds = chain(BEHIND.finditer(question), AHEAD.finditer(question))
    first = min((match.start() for match in bounds), default=0)
    return question[first:].strip(" ?.!")


def _beside(
    question: str, choices: Sequence[str], part: Line | None, lines: Sequence[Line]
) -> Settled | None:
    """What comes next after the part or sentence that the question names, or directly before it."""
    unquoted = SAID.sub('""', question)
    behind, ahead = BEHIND.search(unquoted), AHEAD.search(unquoted)
    if bool(behind) == bool(ahead):
        return None
    step = 1 if behind else -1
    if part:
        return _next_part(part, step, choices, lines)
    if choices or PART.search(question):
        return None
    return _next_sentence(question, step, lines)


def _next_part(
    part: Line, step: int, choices: Sequence[str], lines: Sequence[Line]
) -> Settled | None:
    others = [n for n in _alike(part, parts(lines)) if head(n) != head(part)]
    after = [n for n in others if n.start > part.start]
    before = [n for n in others if n.start < part.start]
    beside = after[:1] if step > 0 else before[-1:]
    if not beside:
        return None
    title = head(beside[0])
    same = [i for i, choice in enumerate(choices) if bare(choice) == bare(title)]
    if choices and len(same) != 1:
        return None
    return Settled(title, same[0] if same else None, (beside[0], part), "medium")


def _alike(part: Line, titled: Sequence[Line]) -> list[Line]:
    """The parts of its kind and look: words in capitals over a picture are no title of a slide."""
    return [n for n in titled if n.kind == part.kind and head(n).isupper() == head(part).isupper()]


def _next_sentence(question: str, step: int, lines: Sequence[Line]) -> Settled | None:
    """The sentence after, or before, the only one that holds what the question names."""
    phrase = (QUOTED.findall(question) or [_asked_after(question)])[0]
    wanted = set(terms(phrase)) - (set() if QUOTED.search(question) else FRAME)
    if not wanted or set(terms(SAID.sub("", question))) - FRAME - wanted:
        return None
    if any(sees(n) and wanted <= set(terms(n.text)) for n in lines):
        return None
    told = [(text, n) for n in lines if n.kind == "speech" for text in SENTENCE.split(n.text)]
    holding = [i for i, (text, _) in enumerate(told) if wanted <= set(terms(text))]
    at = holding[0] + step if len(holding) == 1 else -1
    if not 0 <= at < len(told) or not all(WHOLE.fullmatch(told[i][0]) for i in (at, at - step)):
        return None
    if TURNS.search(told[at - step][0]):
        return None
    rests = dict.fromkeys((told[at][1], told[at - step][1]))
    return Settled(told[at][0], None, tuple(rests), "medium")


# -- how often, how many


def _count(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    if set(terms(SAID.sub("", question))) - FRAME:
        return None
    if NUMBERED.search(question):
        return None if choices or QUOTED.search(question) else _numbered(question, lines)
    places = occurrences(question, lines) if SPOKEN.search(question) else ()
    if not places:
        return None
    number, rests = len(places), tuple(dict.fromkeys(places))[:LISTED]
    if not choices:
        times = ", ".join(clock(n.start) for n in places[:LISTED])
        more = f" and on, the last at {clock(places[-1].start)}" if number > LISTED else ""
        text = f"{number} time{'s' * (number > 1)}: {times}{more}"
        return Settled(text, None, rests, "medium")
    same = [i for i, choice in enumerate(choices) if worth(choice) == worth(str(number))]
    return Settled(choices[same[0]], same[0], rests, "medium") if len(same) == 1 else None


def _numbered(question: str, lines: Sequence[Line]) -> Settled | None:
    """How many parts there are, with their titles."""
    found = _counted(question, lines)
    if not found:
        return None
    listed = [f'"{head(n)}" ({clock(n.start)})' for n in found]
    told = ", ".join(listed) if len(listed) <= LISTED else f"{listed[0]} to {listed[-1]}"
    return Settled(f"{len(found)}, by their titles: {told}", None, found, "medium")


def nth(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    """The slide, part or chapter of the number that the question asks for, by its title."""
    asked = NTH.fullmatch(question)
    found = _counted(question, lines) if asked and not choices else ()
    place = max(map(float, worth(asked[1])), default=0.0) - 1 if asked else -1.0
    if asked and asked[1].casefold() == "last":
        place = len(found) - 1.0
    if not 0 <= place < len(found):
        return None
    part = found[int(place)]
    return Settled(f"{head(part)}, from {clock(part.start)}", None, (part,), "medium")


def _counted(question: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The parts that are asked for: the chapters of the file, else what has a title on screen."""
    titled = parts(lines)
    chapters = [n for n in titled if n.kind == "summary"]
    shown = [n for n in titled if n.kind == "screen"]
    slides = [n for n in shown if not head(n).isupper()] or shown
    # Chapters of the file are no slides.
    only = slides if re.search(r"\bslides?\b", question, re.IGNORECASE) else []
    found = tuple(only or chapters or slides)
    screens = {called(n)[-1] for n in lines if n.kind == "screen" and has_word(n)}
    # Under a running head one slide looks like the next.
    return found if chapters or 2 * len(found) >= len(screens) else ()
