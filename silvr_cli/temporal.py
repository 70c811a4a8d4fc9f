"""What a question asks of time (when, how long, in which order, how often), and what a timeline
says of it. Rules for English; a question in another language asks nothing of time here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from .records import Evidence, Line, Settled
from .relevance import Index, bare, terms
from .timeline import ROW_JOINT, clock, parse_clock, sees
from .titled import SOURCE, Place, has_word, place, stands_again

Asks = Literal["when", "how long", "order", "count", ""]
QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{2,80})[\"“”«»]")
SAID = re.compile(r"[\"“”«»][^\"“”«»]*[\"“”«»]")
CLOCK = re.compile(r"(?<![\w:.])(\d+(?::\d\d){1,2})(?![\w:])")
# A time of the video in words, and the seconds of its units: "after 75 minutes", "at 1h13m".
SPELT = re.compile(
    r"\b(?:at|after|around|about|by|from|near|past|before|until|till) (?:the )?"
    r"((?:\d+ ?(?:h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])(?: and)? ?)+)",
    re.IGNORECASE,
)
UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
WHEN = re.compile(
    r"\b(?:at (?:what|which) (?:time|point|minute|moment)|when) (?:in the \w+ )?"
    r"(?:does|do|did|is|are|was|were)\b.*\b(?:begin|start|appear|shown|mention(?:ed)?|said|end|happen"
    r"|discuss(?:ed)?|come|introduced?|explain(?:ed)?|talk(?:ed)? about|first)\b"
    r"|\bwhere in the (?:video|film|recording|talk|lecture|meeting)\b",
    re.IGNORECASE,
)
HOW_LONG = re.compile(
    r"\bhow (?:long|many (?:seconds|minutes|hours)) (?:is|are|does|do|did)\b.*\b(?:last|take|shown|"
    r"part|section|scene|clip|video|talk|segment|picture|screen|slide|visible)\b",
    re.IGNORECASE,
)
ORDER = re.compile(
    r"\b(?:first|last|earliest|latest|next|earlier|later|sooner)\b.*\b(?:in the video|part|scene|"
    r"clip|shown|mentioned|come|comes|appears?|happens?|of these)\b"
    r"|\b(?:comes?|happens?|appears?|shown|follows?|part|parts)\b.*\b(?:first|last|next|after|before|"
    r"directly after|right after)\b|\b(?:in (?:what|which) order)\b",
    re.IGNORECASE,
)
BEGINNING = re.compile(
    r"\b(?:clip|scene|shot|part|section)\b.*\b(?:begin|start)|\bstart\w* .*\b(?:clip|scene)",
    re.IGNORECASE,
)
ENDS = re.compile(r"\b(?:ends?|over)\b", re.IGNORECASE)
EARLIEST = re.compile(r"\b(?:first|earliest)\b", re.IGNORECASE)
LATEST = re.compile(r"\b(?:last|latest)\b", re.IGNORECASE)
BEHIND = re.compile(r"\b(?:after|follows?|following)\b", re.IGNORECASE)
AHEAD = re.compile(r"\b(?:before|precedes?|preceding)\b", re.IGNORECASE)
COUNT = re.compile(
    r"\bhow (?:many times|often)\b.*\b(?:said|say|says|mention\w*|shown|show|appears?|happens?|"
    r"occurs?|word|name)\b|\bhow many (?:\w+ ){0,2}(?:parts|scenes|slides|chapters|boards|clips)\b",
    re.IGNORECASE,
)
# What turns a question of time round, or asks for another place than the first or the next.
TWISTED = re.compile(
    r"\b(?:not|never|neither|nor|\w+n['’]t|except|second|third|fourth|again|until|till|no longer"
    r"|(?:two|three|four|long) (?:parts? )?(?:after|before|later|earlier)"
    r"|(?:next|before) (?:to )?(?:the )?last)\b",
    re.IGNORECASE,
)
# What a question of order asks for, besides its frame: "Which titled part comes".
ASKED_FOR = re.compile(
    r"\b(?:which|what)(?: of (?:these|the))?((?: \w+){1,3}?) (?:is|are|was|were|do|does|did|comes?"
    r"|follows?|happens?|appears?|precedes?|stands?|begins?|starts?)\b",
    re.IGNORECASE,
)
# What such questions are made of, besides what they name: words of the recording, not in it.
FRAME = frozenset(
    term
    for pattern in (WHEN, HOW_LONG, ORDER, COUNT)
    for term in terms(" ".join(re.findall(r"[a-z]{3,}", pattern.pattern)))
)
# A line begins at a time that an answer names when it is no further off, in seconds.
NEAR = 5.0
# Signs at the end of a word that make another word of it.
SIGNS = {ord("+"): "plus", ord("#"): "sharp"}


def asks(question: str) -> Asks:
    """What the question asks of time; "" when nothing, or when it is not told in English.

    What it quotes asks nothing: "the last five years" are the speaker's.
    """
    question = SAID.sub('""', question)
    if COUNT.search(question):
        return "count"
    if HOW_LONG.search(question):
        return "how long"
    if WHEN.search(question):
        return "when"
    return "order" if ORDER.search(question) else ""


def order_of(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Line | None:
    """A line that tells in which order the options come, from the phrase that the question quotes
    onwards or backwards if it names one; None when an option cannot be found in the timeline.
    """
    if asks(question) != "order" or len(choices) < 2 or not lines:
        return None
    index = Index([n.text for n in lines])
    places = [place(choice, lines, index) for choice in choices]
    found = [p for p in places if p is not None]
    if len(found) < len(choices) or len({p.line.start for p in found}) < len(found):
        return None
    found.sort(key=lambda p: p.line.start)
    quoted = [p for phrase in QUOTED.findall(question) if (p := place(phrase, lines, index))]
    anchor = quoted[0] if len(quoted) == 1 else None
    head = "in order of time"
    if anchor and BEHIND.search(question):
        later = [p for p in found if p.line.start > anchor.line.start]
        head, found = f"after {_told(anchor)}, in order of time", later or found
    elif anchor and AHEAD.search(question):
        earlier = [p for p in found if p.line.start < anchor.line.start]
        head, found = f"before {_told(anchor)}, the nearest first", earlier[::-1] or found
    told = f"{head}: " + "; then ".join(map(_told, found))
    start, end = min(p.line.start for p in found), max(p.line.end for p in found)
    return Line(start, end, "summary", told, None, SOURCE)


def _told(found: Place) -> str:
    return f'"{found.phrase}" ({clock(found.line.start)})'


def near(question: str, choices: Sequence[str], lines: Sequence[Line]) -> tuple[float, ...]:
    """The times that a question of time is about: of what it quotes, and of its options."""
    if not asks(question):
        return ()
    times = [parse_clock(text.strip()) for text in choices if CLOCK.fullmatch(text.strip())]
    phrases = (*QUOTED.findall(question), *(choices if not times else ()))
    index = Index([n.text for n in lines])
    found = [p.line.start for text in phrases if (p := place(text, lines, index))]
    return (*found, *times)


def moments(question: str, lines: Sequence[Line]) -> tuple[float, ...]:
    """The times of the video, in seconds, that a question names; not those that the video tells."""
    last, rest = max((n.end for n in lines), default=0.0), SAID.sub('""', question)
    named = {text: parse_clock(text) for text in CLOCK.findall(rest) if ":" in text}
    named |= {text.strip(): _seconds(text) for text in SPELT.findall(rest)}
    own = (at for text, at in named.items() if not any(text in n.text for n in lines))
    return tuple(at for at in own if at <= last)


def _seconds(spelt: str) -> float:
    lengths = {name[0]: length for name, length in UNITS.items()}
    told = re.findall(r"(\d+) ?([hms])", spelt.casefold())
    return sum(int(number) * lengths[unit] for number, unit in told)


def spans(
    answer: str, question: str, lines: Sequence[Line], titled: Sequence[Line]
) -> list[Evidence]:
    """The stretches that the times in an answer stand for: the titled part that begins there, else
    the line that does. `lines` are those that were read, `titled` are `parts` of the whole video.
    """
    found = []
    for told in CLOCK.findall(answer):
        if any(told in n.text for n in lines if n.source != SOURCE):
            # A time that somebody says or a board shows is no time of the video.
            continue
        at = parse_clock(told)
        line = _beginning(at, question, titled) or _beginning(at, question, lines)
        if line:
            found.append(Evidence(line.start, line.end, line.text, line.kind))
    return list(dict.fromkeys(found))


def part_of(rests: Sequence[Evidence], titled: Sequence[Line]) -> list[Evidence]:
    """The titled part that the first piece of evidence opens, else that evidence itself."""
    if not rests:
        return []
    first = rests[0]
    opened = (n for n in titled if n.kind == first.kind and n.start == first.start)
    line = next(opened, None)
    return [Evidence(line.start, line.end, line.text, line.kind)] if line else [first]


def _beginning(at: float, question: str, lines: Sequence[Line]) -> Line | None:
    """The line that begins at that second, or near it, and has the most to do with the question."""
    close = [n for n in lines if n.source != SOURCE and abs(int(n.start) - at) <= NEAR]
    if not close:
        return None
    scores = Index([n.text for n in close]).scores(question)
    off = [abs(int(n.start) - at) / NEAR for n in close]
    return close[max(range(len(close)), key=lambda i: scores[i] - off[i])]


def beginnings(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Line | None:
    """A line that tells what begins at each of the times among which a question of "when" chooses;
    None when not all options are times.
    """
    times = [CLOCK.fullmatch(choice.strip()) for choice in choices]
    if asks(question) != "when" or len(choices) < 2 or not all(times):
        return None
    told, found = [], []
    for choice in choices:
        at = parse_clock(choice.strip())
        close = [n for n in lines if abs(int(n.start) - at) <= 1]
        begin = [n for n in close if n.kind != "caption"] or close
        heads = [" ".join(n.text.split(ROW_JOINT)[0].split()[:6]) for n in begin[:2]]
        told.append(f"{choice.strip()} {', '.join(heads) or 'nothing'}")
        found += begin
    if not found:
        return None
    end = max(n.end for n in found)
    return Line(
        min(n.start for n in found), end, "summary", "begins at " + "; ".join(told), None, SOURCE
    )


def counted(question: str, lines: Sequence[Line]) -> Line | None:
    """A line that lists where the words that the question counts are said or shown."""
    places = occurrences(question, lines)
    if not places:
        return None
    text = f'"{QUOTED.findall(question)[0]}" stands {len(places)} times in the timeline: '
    text += ", ".join(clock(n.start) for n in places)
    end = max(n.end for n in lines)
    return Line(places[0].start, end, "summary", text, None, SOURCE)


def occurrences(question: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The line of each place where the words that the question counts are said or shown: a line
    that has them twice stands twice.
    """
    quoted = QUOTED.findall(question)
    if asks(question) != "count" or not quoted:
        return ()
    wanted = _signed(quoted[0].strip(" .,;:!?")).split()
    if not wanted:
        return ()
    word = " ".join(wanted)
    spoken = re.search(r"\b(?:said|say|says|spoken|mention\w*)\b", question, re.IGNORECASE)
    kinds = ("speech",) if spoken else ("speech", "screen")
    return tuple(
        n
        for n in lines
        if n.kind in kinds
        for _ in range(
            f" {_signed(n.text)} ".replace(" ", "  ").count(f" {word.replace(' ', '  ')} ")
        )
    )


def _signed(text: str) -> str:
    """Words as `bare` has them, with the signs that make C++ and C# of C."""
    named = re.sub(r"(\w)([+#]+)(?!\w)", lambda m: m[1] + m[2].translate(SIGNS), text)
    return bare(named)


def settled(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    """The answer that follows from times alone: which option comes first, last, next after or
    directly before a quoted title, and at which time a quoted title begins. None unless every
    phrase that it rests on stands in the timeline as it is.
    """
    kind, rest = asks(question), SAID.sub('""', question)
    if TWISTED.search(rest):
        return None
    index = Index([n.text for n in lines])
    quoted = [place(phrase, lines, index) for phrase in QUOTED.findall(question)]
    anchor = quoted[0] if len(quoted) == 1 and quoted[0] and quoted[0].whole else None
    if kind == "when" and anchor:
        # Not another time than the title's beginning, nor one that is told and not the video's.
        other = any(pattern.search(rest) for pattern in (BEHIND, AHEAD, LATEST, ENDS))
        return None if other or set(terms(rest)) - FRAME else _begins(anchor, choices)
    if kind == "when" and not quoted:
        return _only_beginning(question, choices, lines)
    if kind != "order" or len(choices) < 2:
        return None
    places = [place(choice, lines, index) for choice in choices]
    found = [p for p in places if p is not None and p.whole]
    if len(found) < len(choices) or len({p.line.start for p in found}) < len(found):
        return None
    named = ASKED_FOR.search(rest)
    if set(terms(rest)) - FRAME - set(terms(" ".join([*choices, named[1] if named else ""]))):
        return None
    # Titles and words that return have no one place in the order, but for the first.
    first = not quoted and EARLIEST.search(rest)
    if not first and any(stands_again(p, lines) for p in found):
        return None
    chosen = _next(question, anchor, found) if quoted else _outermost(question, found)
    if chosen is None:
        return None
    rests = tuple(p.line for p in (chosen, *([anchor] if anchor else [])))
    return Settled(chosen.phrase, choices.index(chosen.phrase), rests)


def _begins(anchor: Place, choices: Sequence[str]) -> Settled | None:
    at = anchor.line.start
    if not choices:
        return Settled(clock(at), None, (anchor.line,))
    index = timely(at, choices)
    return None if index is None else Settled(choices[index], index, (anchor.line,))


def timely(at: float, choices: Sequence[str]) -> int | None:
    """The only option that is a time near `at`, in seconds."""
    times = [(i, CLOCK.fullmatch(choice.strip())) for i, choice in enumerate(choices)]
    close = [i for i, told in times if told and abs(parse_clock(told[0]) - at) <= NEAR]
    return close[0] if len(close) == 1 else None


def _only_beginning(question: str, choices: Sequence[str], lines: Sequence[Line]) -> Settled | None:
    """The one time at which anything begins, or at which text and picture change together: it need
    not be known what a clip shows to tell that none begins elsewhere.
    """
    times = [CLOCK.fullmatch(choice.strip()) for choice in choices]
    if len(choices) < 2 or not all(times) or not BEGINNING.search(question):
        return None
    if any(map(sees, lines)):
        # What the captions tell of each time may be what is asked for.
        return None
    signs = []
    for choice in choices:
        at = parse_clock(choice.strip())
        shown = [n for n in lines if n.kind == "screen" and abs(n.start - at) <= 2 and has_word(n)]
        cut = re.compile(rf"new picture at {re.escape(choice.strip())}(?![\d:])")
        seen = [n for n in lines if n.kind == "caption" and cut.search(n.text)]
        signs.append((shown[:1], seen[:1]))
    strength = [bool(shown) + bool(seen) for shown, seen in signs]
    best = max(range(len(choices)), key=strength.__getitem__)
    if not strength[best] or strength.count(strength[best]) > 1:
        return None
    shown, seen = signs[best]
    return Settled(choices[best], best, tuple(shown or seen), "medium")


def _next(question: str, anchor: Place | None, found: Sequence[Place]) -> Place | None:
    if anchor is None:
        return None
    at = anchor.line.start
    if BEHIND.search(question):
        later = [p for p in found if p.line.start > at]
        return min(later, key=lambda p: p.line.start, default=None)
    if AHEAD.search(question):
        earlier = [p for p in found if p.line.start < at]
        return max(earlier, key=lambda p: p.line.start, default=None)
    return None


def _outermost(question: str, found: Sequence[Place]) -> Place | None:
    if BEHIND.search(question) or AHEAD.search(question):
        return None
    first, last = EARLIEST.search(question), LATEST.search(question)
    if bool(first) == bool(last):
        return None
    return (min if first else max)(found, key=lambda p: p.line.start)


def derived(question: str, choices: Sequence[str], lines: Sequence[Line]) -> list[Line]:
    """What can be worked out from the times alone, as lines of their own; [] for most questions."""
    worked = (
        order_of(question, choices, lines),
        beginnings(question, choices, lines),
        counted(question, lines),
    )
    return [line for line in worked if line]
