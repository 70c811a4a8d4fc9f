"""Timeline -> chapters: where the parts of a video begin, and what each is called.

Boundaries are chosen among the signs by a pure search; titles stand on the screen or come from a
TextModel. Knows no file, no format and no provider.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .. import evidence, prompts, replies
from ..division import Wanted, divided
from ..inflight import in_flight
from ..records import Chapter, Line, Timeline
from ..relevance import terms
from ..signs import Candidate, lines_of, plain, running_heads
from ..timeline import ROW_JOINT, clock, parse_clock

if TYPE_CHECKING:
    from ..protocols import Work
    from ..settings import Chapters
    from ..talk import Talk

    Shorten = Callable[[Sequence[Line], int], str]

# A boundary has to be worth so many bits: a share of what all kinds of signs here come to together,
# within limits, and more in a longer video, or an hour had hundreds.
PRICE_SHARE, PRICE_LEAST, PRICE_MOST = 0.42, 2.5, 3.4
PRICE_A_DOUBLING, PRICE_FROM = 0.3, 600.0
# So many chapters at least, where there are signs at all: by the root of minutes.
LEAST_A_ROOT = 1.5
# And at most so many a minute, however strong the signs, growing by the root after the first hour.
MOST_A_MINUTE, HOUR = 3.0, 60.0
# Each halving of a part costs so many bits, which spreads what the signs do not tell apart.
EVEN = 0.25
SHORTEST, LONGEST_SHARE = 10.0, 360.0
TITLE_CHARACTERS, TITLE_WORDS, TITLE_TOKENS = 60, 10, 32
# What a title's prompt reads: a title needs the gist, and small models read little well.
TITLE_CONTEXT = 400
STARTS_TOKENS = 512
# A title slide stands near the beginning of its chapter, in seconds or as a share of it.
EARLY, EARLY_SHARE = 8.0, 0.3
AROUND = "\"'“”‘’«» -–—:;,"
BRACKETED = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
CLOCK = re.compile(r"\b\d{1,2}:\d\d(?::\d\d)?\b")
NAMED_START = re.compile(r"^[\s\-*•#>\[(]*(\d{1,2}:\d\d(?::\d\d)?)[\s\])]*[-–—:.\s]+(.*)$")
LEAD = re.compile(
    r"^(?:the\s+)?(?:chapter\s+)?(?:title|heading|speech|screen|caption)(?:\s+is)?\s*[:\-–]\s*",
    re.IGNORECASE,
)
JOINING = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a chapter begins, and its title if that is known; `own`: as the file has it."""

    time: float
    title: str = ""
    own: bool = False


def boundaries(
    candidates: Sequence[Candidate], duration: float, settings: Chapters, even: float = EVEN
) -> tuple[float, ...]:
    """The times at which chapters begin, the first of them 0; none shorter than the minimum.

    The number is the user's, else as many as the evidence pays for, within what the video's
    length makes sensible. `even` is what each halving of a part costs, in bits.
    """
    least = shortest(duration, settings)
    usable = [c for c in candidates if least <= c.time <= duration - least]
    if settings.count is None:
        usable = [c for c in usable if c.strength > 0]
    minutes = duration / 60
    low = round(LEAST_A_ROOT * math.sqrt(minutes))
    high = max(1, round(MOST_A_MINUTE * min(minutes, math.sqrt(HOUR * minutes))))
    if settings.count is not None:
        low = high = settings.count
    number, price = (low - 1, high - 1), _price(candidates, duration)
    moments = [(c.time, c.strength) for c in usable]
    return (0.0, *divided(moments, duration, Wanted(least, number, price, even)))


def _price(candidates: Sequence[Candidate], duration: float) -> float:
    """The bits that a boundary must be worth: less where there are fewer kinds of signs."""
    bits = {kind: worth for c in candidates for kind, worth in c.signs.items()}
    price = min(max(PRICE_SHARE * sum(bits.values()), PRICE_LEAST), PRICE_MOST)
    return price + PRICE_A_DOUBLING * math.log2(max(1.0, duration / PRICE_FROM))


def shortest(duration: float, settings: Chapters) -> float:
    """The least length of a chapter in seconds: the user's, else by the length of the video."""
    if settings.min_length is not None:
        return settings.min_length
    return min(max(SHORTEST, duration / LONGEST_SHARE), max(1.0, duration / 3))


def told_starts(
    lines: Sequence[Line], windows: Iterable[tuple[float, float]], shorten: Shorten, talk: Talk
) -> tuple[Mark, ...]:
    """Where a model says that chapters begin, window by window, as Chapter-Llama asks for it.

    Chapter-Llama (arXiv 2504.00072, section 3): speech and captions with their times go in, lines
    of time and title come out. A time counts only as the start of a line that was shown.
    """
    found: dict[float, Mark] = {}
    starts = sorted({line.start for line in lines})
    for start, end in windows:
        text = shorten(lines_of(lines, start, end), 0)
        if not text:
            continue
        reply = talk.ask(
            "chapter_starts",
            STARTS_TOKENS,
            context=prompts.fenced(text),
            start=clock(start),
            end=clock(end),
        )
        for mark in _marks(reply.text, starts):
            if start <= mark.time < end:
                found.setdefault(mark.time, mark)
    return tuple(sorted(found.values(), key=lambda mark: mark.time))


def _marks(reply: str, starts: Sequence[float]) -> Iterable[Mark]:
    for row in reply.splitlines():
        match = NAMED_START.match(row)
        if match:
            said = parse_clock(match[1])
            # A clock shows whole seconds, rounded down.
            shown = [t for t in starts if int(t) == int(said)]
            if shown:
                yield Mark(shown[0], cleaned(match[2]))


def titled(
    marks: Sequence[Mark], timeline: Timeline, shorten: Shorten, talk: Talk, work: Work
) -> tuple[Chapter, ...]:
    """Chapters from each mark to the next, the last to the end; no two have one title, but for
    those of the file.
    """
    duration = timeline.video.duration
    spans = list(pairwise([*(m.time for m in marks), duration]))
    running = running_heads([n for n in timeline.lines if n.kind == "screen"])
    titles = [
        mark.title or slide_title(timeline.lines, span, running)
        for mark, span in zip(marks, spans, strict=True)
    ]
    wanting = [i for i, title in enumerate(titles) if not title]

    def name(index: int) -> str:
        part = lines_of(timeline.lines, *spans[index])
        return _asked(part, spans[index], shorten, talk, work) or from_words(part, index + 1)

    for done, (index, title) in enumerate(in_flight(name, wanting, talk.model.slots), 1):
        titles[index] = title
        work.report(done, len(wanting))
    for index in wanting:
        if titles[index] in titles[:index]:
            part = lines_of(timeline.lines, *spans[index])
            used = titles[index]
            titles[index] = _asked(part, spans[index], shorten, talk, work, used) or used
    return tuple(
        Chapter(start, end, title)
        for (start, end), title in zip(spans, _unlike(titles, marks), strict=True)
    )


def slide_title(
    lines: Sequence[Line], span: tuple[float, float], running: frozenset[str] = frozenset()
) -> str:
    """The title of a slide that stands at the beginning of a chapter; empty when none does."""
    start, end = span
    early = start + max(EARLY, EARLY_SHARE * (end - start))
    part = lines_of(lines, start, end)
    heard = plain(" ".join(n.text for n in part if n.kind == "speech"))
    boards = [_rows(n, running) for n in part if n.kind == "screen"]
    grown = {plain(rows[0]) for rows in boards if len(rows) > 1}
    for line in part:
        rows = _rows(line, running)
        if line.kind != "screen" or line.start > early or not rows:
            continue
        # A row alone is a subtitle, a name or a sign more often than a title, unless a slide
        # with more rows has it too.
        if (len(rows) > 1 or plain(rows[0]) in grown) and _like_a_title(rows[0]):
            return cleaned(_whole_title(rows, heard))
    return ""


def _rows(line: Line, running: frozenset[str]) -> list[str]:
    rows = [row.strip() for row in line.text.split(ROW_JOINT)]
    return [row for row in rows if row and plain(row) not in running]


def _whole_title(rows: Sequence[str], heard: str) -> str:
    """The first row, with the rows that go on where it ends in mid-phrase or is spoken on."""
    title = rows[0]
    for row in rows[1:-1]:
        joined = f"{title} {row}"
        goes_on = plain(joined) in heard or title.split()[-1].casefold() in JOINING
        if not (goes_on and _like_a_title(joined)):
            break
        title = joined
    return title


def _like_a_title(row: str) -> bool:
    letters = sum(c.isalpha() for c in row)
    return (
        3 <= letters >= 0.6 * len(row.replace(" ", ""))
        and len(row) <= TITLE_CHARACTERS
        and len(row.split()) <= TITLE_WORDS
        and row[-1] not in ".,;:"
    )


def _asked(
    part: Sequence[Line],
    span: tuple[float, float],
    shorten: Shorten,
    talk: Talk,
    work: Work,
    used: str = "",
) -> str:
    """The model's title for a part, asked for twice at most; empty when it gives no usable one."""
    key = f"title {span[0]:.3f}-{span[1]:.3f} {used}"
    stored = work.get(key)
    if stored is not None:
        return str(stored)
    text = shorten(part, TITLE_CONTEXT)
    title = ""
    if text:
        values: dict[str, Any] = {"context": prompts.fenced(text), "used": used}
        small = talk.model.prefers_words
        title = _usable(talk.ask("chapter_title", TITLE_TOKENS, **values).text, part, small)
        if not title:
            again = talk.ask_again("chapter_title", TITLE_TOKENS, **values)
            title = _usable(again.text, part, small)
    work.put(key, title)
    return title


def _usable(reply: str, part: Sequence[Line], small: bool) -> str:
    """The reply as a title; empty when it refuses or names a number that stands nowhere.

    A small model's title must also have a word of the part: an introduction may be called one,
    but small models invent subjects rather than abstract from them.
    """
    row = replies.first_line(reply)
    if replies.denies(row) or replies.refuses(row):
        return ""
    title = cleaned(row)
    told = " ".join(line.text for line in part)
    invented = small and told.isascii() and not set(terms(title)) & set(terms(told))
    return "" if invented or evidence.unsupported(title, part) else title


def cleaned(text: str) -> str:
    """One row of at most 60 characters, without quotes, markup, times or a full stop."""
    text = LEAD.sub("", CLOCK.sub("", re.sub(r"[*_`#|<>]+", " ", text)).strip(" \t-–—:"))
    text = BRACKETED.sub(r"\1\2", text) if BRACKETED.fullmatch(text.strip(AROUND)) else text
    text = " ".join(text.split()).strip(AROUND)
    text = re.sub(r"(?<!\.)\.$", "", text).strip(AROUND)
    if len(text) <= TITLE_CHARACTERS:
        return text
    whole = text[:TITLE_CHARACTERS].rpartition(" ")[0] or text[: TITLE_CHARACTERS - 1]
    return whole.rstrip(" -–—:;,") + "…" if len(whole) < TITLE_CHARACTERS else whole


def from_words(part: Sequence[Line], number: int) -> str:
    """A title without a model: the part's first words, else its number."""
    for kind in ("summary", "speech", "screen", "caption", "sound"):
        for line in part:
            title = cleaned(" ".join(re.split(r"(?<=[.!?])\s| / ", line.text)[0].split()[:8]))
            if line.kind == kind and len(plain(title)) > 2:
                return title
    return f"Part {number}"


def _unlike(titles: Sequence[str], marks: Sequence[Mark]) -> list[str]:
    """The same titles, a later twin with its number behind it."""
    seen: set[str] = set()
    found = []
    for title, mark in zip(titles, marks, strict=True):
        told, number = title, 1
        while not mark.own and told.casefold() in seen:
            number += 1
            behind = f" ({number})"
            told = title[: TITLE_CHARACTERS - len(behind)].rstrip() + behind
        seen.add(told.casefold())
        found.append(told)
    return found
