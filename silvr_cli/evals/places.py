"""Open questions with a place: is the answer right in words, and is it found where it is told?

For benchmarks whose answers are stretches of what is said. Pure but for the ROUGE package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..records import Timeline
from .benchmark import Figures, Item, Response, Span
from .spans import Stretch, best, iou, likeliest_window, stretches
from .wording import exact, f1, rouge

HIT, MIOU, RESTS = "hit@1", "mIoU", "evidence hit"


def score(item: Item, response: Response) -> Figures:
    """In words: exact, F1, ROUGE. By place: the first moment found, and what the answer rests on.

    A hit: the middle of the stretch lies in a right one.
    """
    found: dict[str, float] = {}
    if "moments" in item.ways and item.more.get("spans"):
        found.update(by_place(item, response.moments))
    if "open" in item.ways:
        if item.more.get("spans"):
            found[RESTS] = by_place(item, response.evidence)[HIT]
        found.update(in_words(item, response.text))
    return found


def by_place(item: Item, spans: Sequence[Span]) -> dict[str, float]:
    """hit@1 and IoU of the first span with the right ones, the best of them."""
    gold = stretches(item.more["spans"])
    if not spans:
        return {HIT: 0.0, MIOU: 0.0}
    middle = (spans[0].start + spans[0].end) / 2
    hit = any(part.start <= middle <= part.end for part in gold)
    first = Stretch(spans[0].start, spans[0].end)
    return {HIT: float(hit), MIOU: best(iou(first, part) for part in gold)}


def in_words(item: Item, said: str) -> dict[str, float]:
    """How near the answer's words are to the right ones; nothing said is nothing right."""
    if not said:
        return {"exact": 0.0, "F1": 0.0, "rouge1": 0.0, "rouge2": 0.0, "rougeL": 0.0}
    gold = str(item.gold)
    return {"exact": exact(said, gold), "F1": f1(said, gold), **rouge(said, gold)}


def floors(item: Item, timeline: Timeline | None, length: float) -> Mapping[str, Figures]:
    """BM25's best window of `length` seconds, as place and as answer, and a place at random."""
    spans = item.more.get("spans")
    if timeline is None or not item.gold:
        return {}
    windows = likeliest_window(timeline, item.question, length)
    told: dict[str, float] = {}
    if spans and "moments" in item.ways:
        told.update(by_place(item, [Span(*window) for window in windows[:1]]))
        told[RESTS] = told[HIT]
    if "open" in item.ways:
        told.update(in_words(item, _said(timeline, windows[0]) if windows else ""))
    found = {"BM25": told}
    if spans and "moments" in item.ways:
        covered = sum(part.end - part.start for part in stretches(spans))
        chance = min(1.0, covered / max(timeline.video.duration, covered))
        found["random"] = {HIT: chance, RESTS: chance}
    return found


def _said(timeline: Timeline, window: Stretch) -> str:
    lines = (n for n in timeline.lines if n.start < window.end and n.end > window.start)
    return " ".join(line.text for line in lines)
