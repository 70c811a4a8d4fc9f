"""Chapters as YouTube reads them from a video's description: a time and a title a line.

Its rules: the first at 0:00, at least three, each ten seconds or longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..records import Chapter
from ..timeline import clock

LEAST, SHORTEST = 3, 10


def youtube(chapters: Sequence[Chapter]) -> str:
    """One line a chapter; YouTube takes `<` and `>` in a description for markup."""
    rows = []
    for chapter in chapters:
        title = " ".join(chapter.title.translate({60: "‹", 62: "›"}).split())
        rows.append(f"{clock(chapter.start)} {title}")
    return "\n".join(rows)


def refused(chapters: Sequence[Chapter]) -> list[str]:
    """Why YouTube would show none of these chapters; empty when it would show them."""
    starts = [int(c.start) for c in chapters]
    reasons = []
    if starts[:1] != [0]:
        reasons.append("the first does not begin at 0:00")
    if len(chapters) < LEAST:
        reasons.append(f"there are {len(chapters)}, and it wants {LEAST}")
    ends = [*starts, *(int(c.end) for c in chapters[-1:])]
    short = [clock(a) for a, b in pairwise(ends) if b - a < SHORTEST]
    if short:
        reasons.append(f"shorter than {SHORTEST} seconds: those at {', '.join(short)}")
    return reasons
