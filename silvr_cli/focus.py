"""Lines and a question -> the lines worth their tokens; pure, no model.

Each line is one segment with up to two levels (what of it bears on the question, the whole of it),
captions that come at several clip lengths are one segment a longest clip (coarse to fine), and what
is left out may leave its headline in a thin overview. After QuoTA (arXiv 2503.08689: tokens by
relevance to the question), VideoTree (arXiv 2405.19209: coarse to fine where it matters), slow-fast
reading (arXiv 2407.15841: a thin view of all beside a close view of some) and HoliTom (arXiv
2505.21334: what neighbours repeat is told once).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .allocation import Level, allocate
from .records import Line
from .relevance import Index, bare, terms
from .rivals import rivals
from .temporal import QUOTED
from .timeline import BLIND, KINDS, ROW_JOINT, levels, line_text, sees
from .titled import has_word

Count = Callable[[Sequence[str]], Sequence[int]]
# Each line ends with a line break, which may be a token of its own.
LINE_BREAK = 1
# What a line's neighbours lend it fades with their distance, in seconds.
REACH = 12.0
LENT = 0.6
QUOTE_WEIGHT = 3.0
# Far from a place that the question names a line counts so much; how fast it fades before and after
# the place, in seconds.
AWAY, BEFORE, AFTER = 0.3, 10.0, 60.0
# Small models read less text better (docs/lab-log.md): what is far less relevant than the best
# line is left out even where there is room.
FLOOR = 0.3
# A screen text of so many rows is a board or list: its rows are told apart.
LONG_BOARD = 4
ELLIPSIS = "…"
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
# What a line gains by the best picture, as a share of what the best line has by words: enough to
# be kept (FLOOR) from a hint of 0.6 on, never enough to come before words that fit well.
PICTURE_WEIGHT = 0.5
# Captions that only tell change answer few questions; words on screen and speech answer most.
KIND_WEIGHT = {"summary": 0.8, "sound": 0.6}
CHANGE_WEIGHT = 0.4
# Being near what is asked for counts more the more relevant a line is: one that answers is worth
# more than two that are half as relevant.
STEEPNESS = 2.0
# The part of a line that bears on the question, and captions coarser than the finest.
PART_WORTH, COARSE_WORTH = 0.9, 0.6
# A sentence is new when so many of its telling words were not told within so many seconds.
NEW_SHARE, TOLD_FOR = 0.3, 10.0
HEADLINE_WORDS = 8


@dataclass(frozen=True, slots=True)
class Wish:
    """What a question wants: how much of the budget (0 to 1) may show the whole video in overview,
    and the times that this overview should be near.
    """

    question: str
    overview: float = 0.0
    near: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Segment:
    """The ways of telling one stretch: each a few lines, and what they are worth."""

    ways: tuple[tuple[tuple[Line, ...], float], ...]


def focused(
    lines: Sequence[Line], wish: Wish, scores: Sequence[float], tokens: int, count: Count
) -> list[Line]:
    """The lines of the highest total relevance within `tokens`, and an overview of the rest.

    `scores` are `relevance`'s, one a line. Nothing is kept where no line has to do with the
    question.
    """
    best = max(scores, default=0.0)
    if best <= 0:
        return []
    telling = {i for i, score in enumerate(scores) if score >= FLOOR * best}
    segments = list(_segments(lines, telling, [s / best for s in scores], wish.question))
    naming = _naming([n for i, n in enumerate(lines) if i not in telling])
    thin, spent = _overview(naming, wish, int(tokens * wish.overview), count)
    costs = iter(_costs([n for s in segments for way, _ in s.ways for n in way], count))
    priced = [
        [Level(sum(next(costs) for _ in way), value) for way, value in segment.ways]
        for segment in segments
    ]
    chosen = allocate(priced, tokens - spent)
    kept = [
        line
        for segment, level in zip(segments, chosen, strict=True)
        if level is not None
        for line in segment.ways[level][0]
    ]
    return sorted([*kept, *thin], key=lambda n: (n.start, n.end, KINDS.index(n.kind)))


def _segments(
    lines: Sequence[Line], telling: set[int], shares: Sequence[float], question: str
) -> Iterator[_Segment]:
    lengths = levels(lines)
    cells: dict[int, list[int]] = {}
    words = Index([lines[i].text for i in sorted(telling)])
    asked = {term for term in terms(question) if term in words.frequency}
    layered = {i for i, n in enumerate(lines) if n.kind == "caption" and n.level and lengths[1:]}
    for i in sorted(layered & telling):
        cells.setdefault(int(lines[i].start // lengths[-1]), []).append(i)
    for i in sorted(layered - telling):
        cell = cells.get(int(lines[i].start // lengths[-1]))
        if cell and lines[i].level == lengths[-1]:
            cell.insert(0, i)
    for i in sorted(telling - layered):
        line, worth = lines[i], shares[i] ** STEEPNESS
        part = _bearing(line, asked)
        if line.kind == "screen" and part != line:
            # The other rows of a board only mislead (docs/lab-log.md).
            yield _Segment((((part,), worth),))
        elif part != line:
            yield _Segment((((part,), PART_WORTH * worth), ((line,), worth)))
        else:
            yield _Segment((((line,), worth),))
    for inside in cells.values():
        yield _Segment(tuple(_by_level([lines[i] for i in inside], [shares[i] for i in inside])))


def _by_level(
    lines: Sequence[Line], shares: Sequence[float]
) -> Iterator[tuple[tuple[Line, ...], float]]:
    """One stretch at each clip length that captions have there, the coarsest first; of the finer
    ones those that bear on the question.
    """
    worth = max(shares) ** STEEPNESS
    lengths = sorted({line.level or 0.0 for line in lines}, reverse=True)
    for step, length in enumerate(lengths, 1):
        grown = COARSE_WORTH + (1 - COARSE_WORTH) * step / len(lengths)
        yield tuple(line for line in lines if line.level == length), worth * grown


def _bearing(line: Line, asked: set[str]) -> Line:
    """What of a line shares a word with the question: a board's title and rows, or sentences."""
    rows = line.text.split(ROW_JOINT)
    if line.kind == "screen":
        return _rows_asked_for(line, rows, asked) if len(rows) >= LONG_BOARD else line
    told = SENTENCE.split(line.text)
    hit = [sentence for sentence in told if asked & set(terms(sentence))]
    if len(told) == 1 or not hit or len(hit) == len(told):
        return line
    return replace(line, text=" ".join(hit))


def _rows_asked_for(line: Line, rows: Sequence[str], asked: set[str]) -> Line:
    """A board's title and the rows that share a word with the question; `…` for the rest."""
    wanted = asked - set(terms(rows[0]))
    hit = [row for row in rows[1:] if wanted & set(terms(row))]
    if not hit or len(hit) == len(rows) - 1:
        return line
    shown = [rows[0], *(row if row in hit else ELLIPSIS for row in rows[1:])]
    texts = [a for a, b in zip(shown, [None, *shown], strict=False) if not a == b == ELLIPSIS]
    return replace(line, text=ROW_JOINT.join(texts))


# -- the overview


def _naming(lines: Sequence[Line]) -> list[Line]:
    """The lines that name the parts: chapters that the file names, else new titles on screen, else
    utterances and captions that see.
    """
    named = [line for line in lines if line.kind == "summary"]
    titles = named or [line for line in lines if line.kind == "screen" and has_word(line)]
    found = titles or [n for n in lines if n.kind in ("speech", "caption") and n.source != BLIND]
    return [n for n, before in zip(found, [None, *found], strict=False) if not _same(n, before)]


def _headline(line: Line) -> Line:
    if line.kind == "summary":
        return line
    first = line.text.split(ROW_JOINT)[0]
    words = first.split()
    short = " ".join(words[:HEADLINE_WORDS]) + (f" {ELLIPSIS}" if words[HEADLINE_WORDS:] else "")
    return replace(line, text=short if first == line.text else f"{short} {ELLIPSIS}")


def _same(line: Line, before: Line | None) -> bool:
    return before is not None and before.text == line.text


def _overview(
    naming: Sequence[Line], wish: Wish, room: int, count: Count
) -> tuple[list[Line], int]:
    """(headlines, what is set aside for them): those near the wished times, then evenly spread."""
    if not naming or room <= 0:
        return [], 0
    order = spread(range(len(naming)))
    if wish.near:
        order.sort(key=lambda i: min(abs(naming[i].start - at) for at in wish.near))
    # A line of the overview has a token at least: no more than `room` of them are looked at.
    heads = [_headline(naming[i]) for i in order[:room]]
    costs = _costs(heads, count)
    chosen, left = [], room
    for head, cost in zip(heads, costs, strict=True):
        if cost > left:
            break
        chosen.append(head)
        left -= cost
    return chosen, min(room, sum(costs))


def spread(items: Sequence[int]) -> list[int]:
    """The items so ordered that every beginning of the list is spread evenly (bit reversal)."""
    bits = max(1, (len(items) - 1).bit_length())
    order = sorted(range(1 << bits), key=lambda i: int(f"{i:0{bits}b}"[::-1], 2))
    return [items[i] for i in order if i < len(items)]


def _costs(lines: Sequence[Line], count: Count) -> list[int]:
    return [cost + LINE_BREAK for cost in count([line_text(line) for line in lines])]


# -- told once


def told_once(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Without what stands twice: a line whose kind and text equal the one before of its kind."""
    last: dict[str, Line] = {}
    kept = []
    for line in lines:
        before = last.get(line.kind)
        if not (before and before.text == line.text and line.start <= before.end + 0.5):
            kept.append(line)
        last[line.kind] = line
    return tuple(kept)


def news(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Captions by a model that sees, without the sentences whose words were told just before.

    Such models describe what stays as it is again in each clip.
    """
    told: dict[float | None, dict[str, float]] = {}
    kept = []
    for line in lines:
        if not sees(line):
            kept.append(line)
            continue
        since = line.start - max(TOLD_FOR, 2 * (line.level or 0.0))
        lately = told.setdefault(line.level, {})
        parts = SENTENCE.split(line.text)
        new = [part for part in parts if _is_new(part, line.start, since, lately)]
        if len(new) < len(parts):
            line = replace(line, text=" ".join(new))
        if new:
            kept.append(line)
    return tuple(kept)


def _is_new(sentence: str, at: float, since: float, lately: dict[str, float]) -> bool:
    words = set(terms(sentence))
    old = sum(1 for word in words if lately.get(word, -math.inf) >= since)
    lately.update(dict.fromkeys(words, at))
    return len(words) - old >= max(1.0, NEW_SHARE * len(words))


# -- relevance


def relevance(
    lines: Sequence[Line],
    question: str,
    choices: Sequence[str] = (),
    hints: Sequence[float] = (),
    index: Index | None = None,
) -> list[float]:
    """A score a line: its own words', a fading share of its neighbours' in time, and its hint.

    The sentence that answers often lacks the question's words, which stand on the slide or in the
    sentence before: so a line borrows from what is near. Words that the question quotes count
    more: they name a place in the video, and what is told elsewhere counts less. What tells the
    same of something else counts nothing. The hint, 0 to 1, is what pictures say; where no line
    shares a word, they decide alone.
    """
    index = index or Index([line.text for line in lines])
    query = " ".join((question, *choices))
    named = [(phrase, _holding(phrase, lines, index)) for phrase in QUOTED.findall(query)]
    places = [lines[i] for _, whole in named for i in sorted(whole)]
    for phrase, whole in named:
        # A title that stands somewhere is not told by lines that share a word or two with it.
        query = query.replace(phrase, " ") if whole else query
    own = index.scores(query)
    for phrase, whole in named:
        for i, score in enumerate(index.scores(phrase)):
            own[i] += QUOTE_WEIGHT * score if i in whole or not whole else 0.0
    own = [score * _nearness(line, places) for score, line in zip(own, lines, strict=True)]
    for i in rivals(lines, question, index):
        own[i] = 0.0
    borrowed = _borrowed(lines, own)
    scores = [(a + LENT * b) * _weight(n) for a, b, n in zip(own, borrowed, lines, strict=True)]
    if not hints:
        return scores
    share = PICTURE_WEIGHT * (max(scores, default=0.0) or 1.0)
    return [score + share * hint for score, hint in zip(scores, hints, strict=True)]


def at_times(scores: Sequence[float], lines: Sequence[Line], times: Sequence[float]) -> list[float]:
    """The scores, and for lines at the times that a question names as much as the best line has."""
    if not times:
        return [*scores]
    best = max(scores, default=0.0) or 1.0
    gaps = [min(max(n.start - at, at - n.end, 0.0) for at in times) for n in lines]
    return [s + best * math.exp(-gap / REACH) for s, gap in zip(scores, gaps, strict=True)]


def _holding(phrase: str, lines: Sequence[Line], index: Index) -> set[int]:
    """The lines that have the phrase as it is, else all of its words: round 12 has 5 pictures, and
    yet is not "Round 5".
    """
    words = index.holding(terms(phrase))
    exact = {i for i in words if f" {bare(phrase)} " in f" {bare(lines[i].text)} "}
    return exact or words


def _nearness(line: Line, places: Sequence[Line]) -> float:
    """1 at a place that the question names, fading to AWAY; what a title opens comes after it."""
    if not places:
        return 1.0
    gaps = (
        max(p.start - line.end, 0) / BEFORE + max(line.start - p.end, 0) / AFTER for p in places
    )
    return max(AWAY, math.exp(-min(gaps)))


def _weight(line: Line) -> float:
    if line.kind == "caption":
        return CHANGE_WEIGHT if line.source == BLIND else 1.0
    return KIND_WEIGHT.get(line.kind, 1.0)


def _borrowed(lines: Sequence[Line], own: Sequence[float]) -> list[float]:
    """For each line the strongest neighbour's score, fading with the gap between them."""
    found = [0.0] * len(lines)
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        strongest, place = 0.0, 0.0
        for i in order:
            line = lines[i]
            at = (line.start + line.end) / 2
            faded = strongest * math.exp(-abs(at - place) / REACH)
            found[i] = max(found[i], faded)
            if own[i] >= faded:
                strongest, place = own[i], at
    return found


def left_out(kept: Sequence[Line], had: Sequence[Line]) -> tuple[str, ...]:
    """What is not shown, by kind, and what is shown in part."""
    shown, all_ = Counter(n.kind for n in kept), Counter(n.kind for n in had)
    missing = tuple(
        f"{all_[kind] - shown[kind]} {kind} lines" for kind in KINDS if all_[kind] > shown[kind]
    )
    whole = {(n.start, n.kind, n.text) for n in had}
    boards = sum(n.kind == "screen" and (n.start, n.kind, n.text) not in whole for n in kept)
    parts = sum((n.start, n.kind, n.text) not in whole for n in kept) - boards
    missing += (f"rows of {boards} boards",) if boards else ()
    return missing + ((f"sentences of {parts} lines",) if parts else ())
