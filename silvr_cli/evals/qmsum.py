"""QMSum (Zhong et al., NAACL 2021): questions to meetings of an hour; answers in a paragraph.

Official files: `data/ALL/jsonl/<split>.jsonl` or `data/ALL/<split>/*.json` of Yale-LILY/QMSum; or
our own jsonl. Transcripts have turns and no clock: 2.5 words a second stand in for one. They are
written for linguists, and are read here as anybody would write them down (see `plain`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import Line, Timeline
from . import own_jsonl, places
from .benchmark import Benchmark, Data, Figures, Item, Way
from .tables import document, find, need, rows

WINDOW = 60.0
WORDS_A_SECOND = 2.5
# Marks of what was heard besides words: {vocalsound}, {disfmarker}.
MARK = re.compile(r"\{\w+\}")
# Letters that are spoken one by one: T_V_, L_C_D_s.
SPELLED = re.compile(r"\b(?:[A-Za-z]_)+")
# Punctuation and endings that stand apart from their word.
APART = re.compile(r"\s+(?=[.,;:?!](?!\w)|'(?:s|m|d|re|ve|ll|t)\b|n't\b)")


def plain(text: str) -> str:
    """A turn without the marks of its transcription: "the T_V_ is {vocalsound} on ." is "the TV is
    on.".
    """
    words = SPELLED.sub(lambda letters: letters[0].replace("_", ""), MARK.sub(" ", text))
    return " ".join(APART.sub("", words).split())


def load(folder: Path, split: str) -> Data:
    if own_jsonl.here(folder):
        found = own_jsonl.questions(folder, split)
        items = (
            _item(
                str(q["qid"]),
                str(q["video_id"]),
                str(q["type"]),
                str(q["question"]),
                str(q["answer"]),
                q.get("gold_spans"),
            )
            for q in found
        )
        told = own_jsonl.timelines(folder, split).items()
        return Data(tuple(items), {name: _readable(timeline) for name, timeline in told})
    items_found: list[Item] = []
    timelines: dict[str, Timeline] = {}
    for index, (name, meeting, path) in enumerate(_meetings(folder, split)):
        video = name or f"{split}{index:02d}"
        lines = _turns(meeting, path)
        timelines[video] = _readable(own_jsonl.made(video, lines[-1].end, lines))
        items_found += _questions(meeting, video, lines, path)
    return Data(tuple(items_found), timelines)


def _readable(timeline: Timeline) -> Timeline:
    """With plain turns; those that are nothing but marks are left out."""
    lines = [replace(line, text=plain(line.text)) for line in timeline.lines]
    video = timeline.video
    said = [line for line in lines if line.text and not line.text.endswith(":")]
    return own_jsonl.made(video.name, video.duration, said)


def _meetings(folder: Path, split: str) -> list[tuple[str, dict[str, Any], Path]]:
    """(name, meeting, file): a file a meeting, or a line a meeting."""
    for place in (folder / "data" / "ALL" / split, folder / "ALL" / split, folder / split):
        paths = sorted(place.glob("*.json"))
        if paths:
            return [(path.stem, document(path), path) for path in paths]
    names = tuple(f"{at}{split}.jsonl" for at in ("data/ALL/jsonl/", "ALL/jsonl/", "jsonl/", ""))
    path = find(folder, names, f"QMSum {split}.jsonl")
    return [("", meeting, path) for meeting in rows(path)]


def _turns(meeting: dict[str, Any], path: Path) -> tuple[Line, ...]:
    lines, at = [], 0.0
    for turn in need(meeting, "meeting_transcripts", path):
        text = f"{turn['speaker']}: {turn['content']}"
        end = at + max(1, len(str(turn["content"]).split())) / WORDS_A_SECOND
        lines.append(Line(at, end, "speech", text, None, path.name))
        at = end
    if not lines:
        raise InputError(f"{path.name} has a meeting in which nobody speaks")
    return tuple(lines)


def _questions(
    meeting: dict[str, Any], video: str, lines: tuple[Line, ...], path: Path
) -> list[Item]:
    found = []
    for kind in ("general", "specific"):
        for index, row in enumerate(need(meeting, f"{kind}_query_list", path)):
            spans = [
                [lines[int(first)].start, lines[min(int(last), len(lines) - 1)].end]
                for first, last in row.get("relevant_text_span", ())
                if int(first) < len(lines)
            ]
            name = f"{video}_{kind[0]}{index}"
            found.append(_item(name, video, kind, row["query"], row["answer"], spans))
    return found


def _item(
    name: str, video: str, kind: str, question: str, answer: str, spans: list[list[float]] | None
) -> Item:
    """General questions rest on the whole meeting: they have no place to be found."""
    ways: tuple[Way, ...] = ("open", "moments") if spans else ("open",)
    more = {"spans": [[float(a), float(b)] for a, b in spans or ()]}
    return Item(name, video, question.strip(), (), ways, answer.strip(), {"kind": kind}, more)


def floors(item: Item, timeline: Timeline | None) -> Mapping[str, Figures]:
    return places.floors(item, timeline, WINDOW)


BENCHMARK = Benchmark(
    name="qmsum",
    title="QMSum",
    splits=("val", "test", "train"),
    load=load,
    score=places.score,
    floors=floors,
    main="rougeL",
    source="github.com/Yale-LILY/QMSum",
)
