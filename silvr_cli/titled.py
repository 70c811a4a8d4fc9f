"""The titled parts of a timeline, what they are called, and where a phrase stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .records import Line
from .relevance import Index, bare, terms
from .timeline import ROW_JOINT

# The source of lines that were worked out from the times of others.
SOURCE = "order"
CHAPTER = re.compile(r'chapter "(.*)"')
# A phrase is in the video where so many of its telling words stand in one line.
FOUND = 0.75


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the timeline a phrase stands first; `whole` if all of it stands there as it is."""

    phrase: str
    line: Line
    whole: bool = True


def place(phrase: str, lines: Sequence[Line], index: Index | None = None) -> Place | None:
    """The first line that holds the phrase, else the one that has the most of its words."""
    told = f" {bare(phrase)} "
    if not told.strip():
        return None
    whole = [n for n in lines if told in f" {bare(n.text)} "]
    titles = [n for n in whole if n.kind in ("screen", "summary")]
    # An agenda holds the phrase too, and so does a longer title.
    named = [n for n in titles if told.strip() in called(n)]
    if whole:
        return Place(phrase, (named or titles or whole)[0])
    words = set(terms(phrase))
    if not words:
        return None
    scores = (index or Index([n.text for n in lines])).scores(phrase)
    best = max(range(len(lines)), key=lambda i: (scores[i], -i), default=None)
    if best is None or len(words & set(terms(lines[best].text))) < FOUND * len(words):
        return None
    return Place(phrase, lines[best], whole=False)


def stands_again(found: Place, lines: Sequence[Line]) -> bool:
    """Whether what stands there stands at another place too."""
    told = bare(found.phrase)
    if told in called(found.line):
        return sum(told in called(n) for n in parts(lines) if n.kind == found.line.kind) > 1
    return sum(f" {told} " in f" {bare(n.text)} " for n in lines) > 1


def head(line: Line) -> str:
    """The title of a part: a chapter's name, or the first row on screen."""
    chapter = CHAPTER.fullmatch(line.text)
    return chapter[1] if chapter else line.text.split(ROW_JOINT)[0]


def called(part: Line) -> tuple[str, ...]:
    """The ways to call a part, bare: by its first row or by its first two."""
    rows = part.text.split(ROW_JOINT)
    return tuple(dict.fromkeys(map(bare, (head(part), " ".join(rows[:2])))))


def parts(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The titles on screen, each lasting until the next one; chapters of the file as they are."""
    named = [n for n in lines if n.kind == "summary" and n.source != SOURCE]
    titles: list[Line] = []
    for line in lines:
        if line.kind == "screen" and has_word(line) and not (titles and _alike(line, titles[-1])):
            titles.append(line)
    last = max((n.end for n in lines if n.source != SOURCE), default=0.0)
    ends = [n.start for n in titles[1:]] + [last] * bool(titles)
    shown = [replace(n, end=max(n.end, end)) for n, end in zip(titles, ends, strict=True)]
    return tuple(sorted([*named, *shown], key=lambda n: (n.start, n.end)))


def has_word(line: Line) -> bool:
    """Readers find two or three letters in photographs; a title has a word."""
    first, _, _ = line.text.partition(ROW_JOINT)
    return any(len(word) > 3 for word in first.split())


def _alike(line: Line, before: Line) -> bool:
    return _first(line) == _first(before)


def _first(line: Line) -> str:
    return bare(line.text.split(ROW_JOINT)[0])
