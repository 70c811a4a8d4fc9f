"""Parts of a video -> events: when something happens, how telling it is, and what it is.

The form of TRACE (arXiv 2410.05643): a video is a list of (time, salience, caption). Knows the
TextModel behind a Talk and no provider; without one the caption is the part's own line.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import evidence, prompts, replies
from ..inflight import in_flight
from ..records import Event, Line
from ..salience import NEVER, share
from ..sentences import shortened
from ..signs import lines_of

if TYPE_CHECKING:
    from ..protocols import Work
    from ..talk import Talk

    Shorten = Callable[[Sequence[Line], int], str]

TOKENS = 48
# Longer lines are cut at a word: a caption is one sentence.
CHARACTERS = 140
QUIET = "nothing is said or shown in words"


def events(
    spans: Sequence[tuple[float, float]],
    lines: Sequence[Line],
    standing: Any,
    titles: Sequence[str],
) -> tuple[Event, ...]:
    """An event for each span, in order: its title, else its most telling line.

    `standing` is each line's salience; `titles` are those that stand on the screen, or "".
    """
    found = []
    rows = zip(spans, closed(spans), titles, parts(spans, lines), strict=True)
    for span, whole, title, inside in rows:
        best = _best(whole, inside, lines, standing)
        salience = share(standing[best]) if best is not None else 0.0
        said = lines[best].text if best is not None else _shown(span, [lines[i] for i in inside])
        found.append(Event(span[0], span[1], salience, title or shortened(said, CHARACTERS)))
    return tuple(found)


def parts(spans: Sequence[tuple[float, float]], lines: Sequence[Line]) -> list[list[int]]:
    """For each of spans that follow each other the indices of the lines that touch it."""
    ends, starts = [end for _, end in closed(spans)], [start for start, _ in spans]
    found: list[list[int]] = [[] for _ in spans]
    for index, line in enumerate(lines):
        first = bisect.bisect_right(ends, line.start)
        for place in range(first, max(first + 1, bisect.bisect_left(starts, line.end))):
            if place < len(found):
                found[place].append(index)
    return found


def closed(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Half-open spans, the last with its end: a line at the video's very end belongs to it."""
    last = [(start, math.nextafter(end, math.inf)) for start, end in spans[-1:]]
    return [*spans[:-1], *last]


def captioned(
    made: Sequence[Event],
    titled: Sequence[bool],
    lines: Sequence[Line],
    ask: tuple[Talk, Shorten],
    work: Work,
) -> tuple[Event, ...]:
    """The events with a sentence by the model where no title stands and it tells the truth.

    A sentence with numbers or names that the part does not have is not taken.
    """
    talk, shorten = ask
    wanting = [i for i, has in enumerate(titled) if not has and made[i].caption != QUIET]
    found = list(made)
    spans = closed([(event.start, event.end) for event in made])

    def caption(index: int) -> Event:
        event = made[index]
        key = f"event {event.start:.3f}-{event.end:.3f}"
        stored = work.get(key)
        if stored is None:
            part = lines_of(lines, *spans[index])
            context = prompts.fenced(shorten(part, 0))
            text = replies.first_line(talk.ask("event_caption", TOKENS, context=context).text)
            strange = evidence.strange(text, "", part, ()) if text else [text]
            stored = "" if strange or replies.denies(text) or replies.refuses(text) else text
            work.put(key, stored)
        return Event(event.start, event.end, event.salience, stored or event.caption)

    for done, (index, event) in enumerate(in_flight(caption, wanting, talk.model.slots), 1):
        found[index] = event
        work.report(done, len(wanting))
    return tuple(found)


def _best(
    span: tuple[float, float], inside: Sequence[int], lines: Sequence[Line], standing: Any
) -> int | None:
    """The most telling line whose middle lies in the span."""
    own = [
        i
        for i in inside
        if span[0] <= (lines[i].start + lines[i].end) / 2 < span[1] and standing[i] > NEVER / 2
    ]
    return max(own, key=lambda i: float(standing[i]), default=None)


def _shown(span: tuple[float, float], inside: Sequence[Line]) -> str:
    """What is told of a part in which nobody says anything telling."""
    told = [n for n in inside if n.text]
    longest = max(told, key=lambda n: min(n.end, span[1]) - max(n.start, span[0]), default=None)
    return longest.text if longest else QUIET
