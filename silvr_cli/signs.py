"""What in a timeline hints that a new part begins: cuts, titles, pauses, turns of topic; pure.

Each sign weighs as many bits as it is surprising at a random moment of this very video, so that
a cut tells nothing in a film of cuts and much in a lecture. Knows no model.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .records import Line
from .tiling import block_similarity, falls, tile_cuts, word_vectors
from .timeline import ROW_JOINT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Embed = Callable[[Sequence[str]], NDArray[Any]]

# Signs that stand so near each other speak of one boundary, in seconds.
NEAR = 2.0
# How far each sign is to be trusted; the order is that of how exactly it is timed.
TRUST = {
    "cut": 0.6,
    "pause": 0.6,
    "silence": 0.2,
    "line": 0.0,
    "title": 1.2,
    "topic": 0.6,
    "theme": 1.0,
    "model": 1.5,
}
MOST_BITS = 6.0
# Bits that a moment loses when somebody goes on speaking over it.
SPOKEN_OVER = 1.5
# A silence between two utterances that is worth a look, and a long one, in seconds.
PAUSE, LONG_PAUSE = 1.5, 6.0
# Topic: sentences on either side, valleys deeper than mean + ALPHA * deviation.
REACH, ALPHA = 4, 0.5
# Theme: lines on either side, an eighth of all within limits. At a valley half of their likeness is
# lost, or more where they are fewer, for those fall low by chance.
WIDE, NARROWEST, WIDE_SHARE = 32, 16, 1 / 8
# A first row on more than this share of all screens is a logo or a running head.
COMMON_SHARE, COMMON_LEAST = 0.34, 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A moment at which a part may begin; `strength` in bits, `signs` the bits of each sign."""

    time: float
    strength: float
    signs: dict[str, float] = field(default_factory=dict)


def candidates(
    lines: Sequence[Line],
    cuts: Iterable[float],
    duration: float,
    embed: Embed | None = None,
    told: Sequence[float] = (),
) -> tuple[Candidate, ...]:
    """Every moment worth a look, in order; `told` are the times that a model named.

    Lines alone weigh nothing but can be chosen where nothing else is.
    """
    pauses, silences = _pauses(lines)
    topics, themes = _turns(lines, embed)
    found = {
        "cut": [t for t in cuts if 0 < t < duration],
        "pause": pauses,
        "silence": silences,
        "line": [n.start for n in lines],
        "title": _new_titles(lines),
        "topic": topics,
        "theme": themes,
        "model": list(told),
    }
    places: list[float] = []
    signs: dict[float, dict[str, float]] = {}
    for kind in TRUST:
        bits = TRUST[kind] * _surprise(len(set(found[kind])), duration)
        for time in sorted(set(found[kind])):
            place = _nearest(places, time)
            if place is None:
                bisect.insort(places, time)
                place = time
            if kind != "line":
                signs.setdefault(place, {})[kind] = bits
    spoken = _spoken_over(lines)
    weighed = {
        t: max(0.0, sum(signs.get(t, {}).values()) - (SPOKEN_OVER if spoken(t) else 0.0))
        for t in places
    }
    return tuple(Candidate(t, weighed[t], signs.get(t, {})) for t in places if 0 < t < duration)


def _surprise(events: int, duration: float) -> float:
    """Bits: minus log2 of the chance that a random moment has such an event near it."""
    if not events or duration <= 0:
        return 0.0
    chance = 1 - math.exp(-events * 2 * NEAR / duration)
    return min(MOST_BITS, -math.log2(chance))


def _nearest(places: Sequence[float], time: float) -> float | None:
    index = bisect.bisect(places, time)
    near = [p for p in places[max(0, index - 1) : index + 1] if abs(p - time) <= NEAR]
    return min(near, key=lambda p: abs(p - time), default=None)


def _pauses(lines: Sequence[Line]) -> tuple[list[float], list[float]]:
    """Where somebody begins to speak after a silence, and where a long silence begins."""
    begins: list[float] = []
    silences: list[float] = []
    heard = None
    for line in _speech(lines):
        gap = line.start - heard if heard is not None else 0.0
        if gap >= PAUSE:
            begins.append(line.start)
        if heard is not None and gap >= LONG_PAUSE:
            silences.append(heard)
        heard = max(heard or 0.0, line.end)
    return begins, silences


def _spoken_over(lines: Sequence[Line]) -> Callable[[float], bool]:
    """Whether one utterance runs from well before a moment to well after it."""
    speech = _speech(lines)
    starts = [n.start for n in speech]

    def spoken(time: float) -> bool:
        index = bisect.bisect(starts, time - NEAR) - 1
        return index >= 0 and speech[index].end > time + NEAR

    return spoken


def _speech(lines: Sequence[Line]) -> list[Line]:
    return sorted((n for n in lines if n.kind == "speech"), key=lambda n: n.start)


def _new_titles(lines: Sequence[Line]) -> list[float]:
    """Where the screen's first row becomes another; running heads are passed over."""
    screens = [n for n in lines if n.kind == "screen"]
    running = running_heads(screens)
    found, last = [], None
    for line in screens:
        rows = [row for row in line.text.split(ROW_JOINT) if plain(row) not in running]
        if rows and plain(rows[0]) != last:
            found.append(line.start)
            last = plain(rows[0])
    return found


def running_heads(screens: Sequence[Line]) -> frozenset[str]:
    """Rows that stand on so many screens that they name no part: logos, page heads, credits."""
    count = Counter(row for n in screens for row in {plain(r) for r in n.text.split(ROW_JOINT)})
    least = max(COMMON_LEAST, COMMON_SHARE * len(screens))
    return frozenset(row for row, times in count.items() if times >= least)


def _turns(lines: Sequence[Line], embed: Embed | None) -> tuple[list[float], list[float]]:
    """Where the words of some lines before and after have little in common, and where those of
    many have next to nothing.
    """
    said = [n for n in lines if telling(n) and n.kind in ("speech", "caption")]
    if len(said) < 2 * REACH:
        return [], []
    texts = [n.text for n in said]
    words = word_vectors(texts)
    alike = block_similarity(embed(texts) if embed else words, REACH)
    topics = [said[index + 1].start for index, _ in tile_cuts(alike, ALPHA)]
    return topics, [said[index + 1].start for index in _themes(words)]


def _themes(words: NDArray[Any]) -> list[int]:
    wide = min(max(NARROWEST, round(WIDE_SHARE * len(words))), WIDE)
    lost = 1 - wide / (2 * WIDE)
    # Near either end there are too few lines to go by.
    inside = range(wide // 2, len(words) - wide // 2)
    found = falls(block_similarity(words, wide)) if len(words) >= 2 * wide else []
    return [index for index, share in found if share >= lost and index in inside]


def telling(line: Line) -> bool:
    """Whether the line says what a part is about: captions by rule only tell of change."""
    return not (line.kind == "caption" and line.source == "embedded")


def lines_of(lines: Sequence[Line], start: float, end: float) -> tuple[Line, ...]:
    """The telling lines that stand in `[start, end)` for half their time, or fill half of it."""
    return tuple(n for n in lines if telling(n) and _belongs(n, start, end))


def _belongs(line: Line, start: float, end: float) -> bool:
    if line.source == "container":
        return False
    shared = min(line.end, end) - max(line.start, start)
    if line.end <= line.start:
        return start <= line.start < end
    return shared > 0 and shared >= 0.5 * min(line.end - line.start, end - start)


def plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
