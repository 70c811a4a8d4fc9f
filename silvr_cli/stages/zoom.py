"""Where to look again when an answer is in doubt, and how what was seen joins the context; pure.

After the zoom rounds of slow-fast readers of video: a coarse reading first, then a few places
closer. Captions nothing itself and knows no model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ..metering import added
from ..records import CONFIDENCES, Answer, Clip, Context, Line
from ..relevance import Index, terms
from ..timeline import KINDS, as_text, clock, line_text

if TYPE_CHECKING:
    from ..settings import Zoom

    Count = Callable[[Sequence[str]], Sequence[int]]

CLOSER = "on a closer look: "
# A place is cut into so many clips at most: long ones are seen in longer clips.
CLIPS_A_PLACE = 4
# Each line ends with a line break, which may be a token of its own.
LINE_BREAK = 1
NOTHING = re.compile(r"\b(?:no|not|nothing|none|neither|never)\b|n't\b", re.IGNORECASE)
VERDICTS = ("not_found", "unclear", "found")


def doubtful(answer: Answer, context: Context) -> bool:
    """Whether a closer look may help: little confidence, or something mentioned but not told.

    What more than half of the question's words are missing for is not looked for.
    """
    if answer.verdict == "not_found":
        return bool(context.lines) and 2 * len(context.unheard) <= context.asked
    return answer.confidence == "low" or answer.verdict == "unclear"


def places(
    answer: Answer, context: Context, looked: Sequence[Clip], settings: Zoom, duration: float
) -> tuple[Clip, ...]:
    """Clips of the places that the answer rests on, then of those that the question is about.

    At most `settings.spans` places, none that `looked` holds already at this clip length.
    """
    spans = [(item.start, item.end) for item in answer.evidence]
    lines = [line for line in context.lines if line.kind != "summary"]
    scores = Index([line.text for line in lines]).scores(
        " ".join((answer.question, *answer.choices))
    )
    order = sorted(range(len(lines)), key=lambda i: (-scores[i], lines[i].start))
    spans += [(lines[i].start, lines[i].end) for i in order if scores[i] > 0]
    found: list[tuple[Clip, ...]] = []
    for start, end in spans:
        clips = _clips(start, end, settings.clip_length, duration)
        known = [*looked, *(clip for place in found for clip in place)]
        if clips and len(found) < settings.spans and not any(_covered(c, known) for c in clips):
            found.append(clips)
    return tuple(sorted((c for place in found for c in place), key=lambda c: c.start))


def _clips(start: float, end: float, length: float, duration: float) -> tuple[Clip, ...]:
    """The place, at least one clip long, in even clips."""
    middle = (start + end) / 2
    start = max(0.0, min(start, middle - length / 2))
    end = min(duration, max(end, middle + length / 2))
    if end <= start:
        return ()
    number = min(CLIPS_A_PLACE, max(1, math.ceil((end - start) / length - 1e-6)))
    step = (end - start) / number
    edges = [*(start + step * i for i in range(number)), end]
    return tuple(Clip(a, b, max(length, step)) for a, b in pairwise(edges))


def _covered(clip: Clip, known: Sequence[Clip]) -> bool:
    """Whether half of the clip has been looked at as closely."""
    shared = sum(
        max(0.0, min(clip.end, k.end) - max(clip.start, k.start))
        for k in known
        if k.level <= clip.level + 1e-6
    )
    return shared >= 0.5 * (clip.end - clip.start)


def joined(context: Context, seen: Sequence[Line], tokens: int, count: Count) -> Context:
    """The context with what was seen, still within so many tokens.

    Where both do not fit, the lines that have the least to do with what was seen go.
    """
    new = [replace(line, text=CLOSER + line.text) for line in seen]
    room = tokens - sum(count([line_text(n) for n in new])) - LINE_BREAK * len(new)
    told = Index([line.text for line in context.lines]).scores(" ".join(n.text for n in seen))
    costs = [cost + LINE_BREAK for cost in count([line_text(n) for n in context.lines])]
    kept = set(range(len(context.lines)))
    for index in sorted(kept, key=lambda i: told[i]):
        if sum(costs[i] for i in kept) > room:
            kept.discard(index)
    lines = sorted(
        (*(context.lines[i] for i in kept), *(new if room >= 0 else ())),
        key=lambda n: (n.start, n.end, KINDS.index(n.kind)),
    )
    heard = {term for n in seen if not NOTHING.search(n.text) for term in terms(n.text)}
    text, plan = as_text(lines), context.plan
    return replace(
        context,
        text=text,
        lines=tuple(lines),
        plan=replace(
            plan,
            reason=f"{plan.reason}; {len(new)} clips looked at again",
            tokens=count([text])[0],
            lines_kept=len(lines),
            lines_total=plan.lines_total + len(new),
        ),
        unheard=tuple(term for term in context.unheard if term not in heard),
        unread=tuple(term for term in context.unread if term not in heard),
    )


def told(clips: Sequence[Clip], model: str) -> str:
    """What the user is told of a closer look."""
    spans: list[tuple[float, float]] = []
    for clip in clips:
        if spans and clip.start - spans[-1][1] < 0.5:
            spans[-1] = (spans[-1][0], clip.end)
        else:
            spans.append((clip.start, clip.end))
    where = ", ".join(f"{clock(start)}-{clock(end)}" for start, end in spans)
    return f"looked again at {where}: {len(clips)} clips, by {model}"


def settled(first: Answer, second: Answer, note: str) -> Answer:
    """The second answer, unless it stands on less than the first; both are paid for."""
    usage = added(first.usage, second.usage)
    if _standing(second) < _standing(first):
        notes = (*first.notes, note, "the closer look told no more")
        return replace(first, notes=notes, usage=usage)
    told_before = f'before that: "{first.text}"' if first.text != second.text else ""
    before = tuple(n for n in first.notes if n.startswith(("looked again", "before that")))
    notes = (*before, note, *((told_before,) if told_before else ()), *second.notes)
    return replace(second, notes=notes, usage=usage)


def _standing(answer: Answer) -> tuple[int, int]:
    return VERDICTS.index(answer.verdict), CONFIDENCES.index(answer.confidence)
