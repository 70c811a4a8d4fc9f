"""The text of an SRT or WebVTT file -> its cues: times and the words below them, markup and all.

Reads times as people write them, too; opens no file and tells nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

# [h:]m:s, with a fraction of a second or without one.
TIME = r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2})(?:[.,](\d{0,9}))?"
ARROW = r"\s*(?:[-–—][-–—\s]*>|→)\s*"
TIMES = re.compile(rf"\s*(?:\d+\s+)?{TIME}{ARROW}{TIME}(|\s.*)")
CLOCK = re.compile(r"\d:\d")
# Where on the screen a cue stands is told behind its times: line:0 or X1:40.
PLACE = re.compile("[:%]")
# What WebVTT holds besides cues.
BESIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Cue:
    """`row` is that of its times, counted from 1; `span` in seconds, None where unreadable."""

    row: int
    span: tuple[float, float] | None
    text: str


def cues(text: str, vtt: bool) -> list[Cue]:
    """Every cue in the file's order, also those whose times cannot be read."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    places = [place for place in range(len(rows)) if _opens(rows, place)]
    return [
        _cue(place, rows[place:until], vtt, until == len(rows))
        for place, until in pairwise([*places, len(rows)])
    ]


def _opens(rows: list[str], place: int) -> bool:
    """Whether a cue begins with this row: arrows stand in what people say, too."""
    row = rows[place]
    if TIMES.fullmatch(row):
        return True
    above = rows[place - 1].strip() if place else ""
    return "-->" in row and (not above or above.isdecimal() or bool(CLOCK.search(row)))


def _cue(place: int, rows: list[str], vtt: bool, last: bool) -> Cue:
    found = TIMES.fullmatch(rows[0])
    words = _without_name(rows[1:], vtt, last)
    if vtt:
        words = _without_notes(words)
    if not found:
        return Cue(place + 1, None, "\n".join(words))
    first, rest = found.groups()[:4], found.groups()[4:8]
    behind = [] if all(map(PLACE.search, found[9].split())) else [found[9]]
    return Cue(place + 1, (_seconds(first), _seconds(rest)), "\n".join([*behind, *words]))


def _seconds(time: tuple[str | None, ...]) -> float:
    hours, minutes, seconds = (int(part or 0) for part in time[:3])
    thousandths = int(f"{time[3] or '':0<3}"[:3])
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths) / 1000


def _without_name(rows: list[str], vtt: bool, last: bool) -> list[str]:
    """Without the number, or WebVTT's name, of the next cue, which stands above its times."""
    place = max((i for i, row in enumerate(rows) if row.strip()), default=None)
    if place is None:
        return rows
    near = place == len(rows) - 1 and not last
    apart = place > 0 and not rows[place - 1].strip()
    number = rows[place].strip().isdecimal()
    named = (near or apart) if number else vtt and near and apart
    return rows[:place] if named else rows


def _without_notes(rows: list[str]) -> list[str]:
    """Without the blocks between WebVTT's cues that are no cues."""
    kept: list[str] = []
    beside = False
    for above, row in pairwise(["-", *rows]):
        beside = bool(row.strip()) and (beside or (not above.strip() and bool(BESIDE.match(row))))
        kept += [] if beside else [row]
    return kept
