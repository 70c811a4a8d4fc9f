"""Highlights: how many of the first N stand where people (or a film's maker) put something telling.

    python benchmarks/highlights.py ../shared/bench/qmsum
    python benchmarks/highlights.py FILM.srt FILM.json

QMSum: the stretches that annotators named as evidence for specific questions. A film: the spans of
the facts that its questions ask for. Floors: what any sentence comes to, and the longest sentences.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from silvr_cli import backends, timeline
from silvr_cli.configuration import load
from silvr_cli.media.subtitles import read_subtitles
from silvr_cli.protocols import Embedder
from silvr_cli.records import Line, Video
from silvr_cli.salience import salience
from silvr_cli.settings import Highlights
from silvr_cli.stages.highlights import highlights
from silvr_cli.stages.moments import passages
from silvr_cli.tiling import word_vectors

Span = tuple[float, float]


def meetings(folder: Path) -> Iterator[tuple[list[Line], list[Span]]]:
    """Each meeting's lines, and the spans of its specific questions."""
    gold: dict[str, list[Span]] = {}
    for row in (folder / "questions.jsonl").read_text("utf-8").splitlines():
        question = json.loads(row)
        if question["type"] == "specific":
            gold.setdefault(question["video_id"], []).extend(map(tuple, question["gold_spans"]))
    for row in (folder / "timelines.jsonl").read_text("utf-8").splitlines():
        told = json.loads(row)
        lines = [Line(n["start"], n["end"], "speech", n["text"]) for n in told["events"]]
        yield lines, gold.get(told["video_id"], [])


def film(subtitles: Path, truth: Path) -> tuple[list[Line], list[Span]]:
    asked = json.loads(truth.read_text("utf-8"))["questions"]
    spans = [tuple(s) for q in asked if q["type"] == "speech_fact" for s in q["gold_spans"]]
    return list(read_subtitles(subtitles)), spans


def middles(spans: Sequence[Span]) -> list[float]:
    return [(start + end) / 2 for start, end in spans]


def inside(times: Sequence[float], gold: Sequence[Span]) -> float:
    return float(np.mean([any(a <= t <= b for a, b in gold) for t in times]))


def rates(
    lines: list[Line], gold: list[Span], top: int, embedder: Embedder | None
) -> tuple[float, float, float]:
    """Shares of: any sentence, the longest ones, the highlights."""
    end = max(line.end for line in lines)
    made = timeline.build(Video("sha256:x", "x", end), lines)
    said = [Line(p.start, p.end, p.kind, p.text) for p in passages(made.lines)]
    texts = [line.text for line in said]
    vectors = embedder.embed(texts) if embedder else None
    rows = word_vectors(texts) if vectors is None else vectors
    found = highlights(said, salience(said, vectors), rows, end, Highlights(top=top))
    longest = sorted(said, key=lambda n: -len(n.text))[:top]
    spans = ([(n.start, n.end) for n in group] for group in (said, longest, found))
    return tuple(inside(middles(group), gold) for group in spans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("truth", type=Path, nargs="?")
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--embed", default="none")
    options = parser.parse_args()
    embedder = None
    if options.embed != "none":
        embedder = backends.embedder(options.embed, load().settings)
    cases = [film(options.source, options.truth)] if options.truth else meetings(options.source)
    found = [rates(lines, gold, options.top, embedder) for lines, gold in cases if lines and gold]
    for name, column in zip(
        ("any sentence", "longest", "highlights"), zip(*found, strict=True), strict=True
    ):
        print(f"{name:13s} {np.mean(column):6.1%} of the first {options.top} in {len(found)}")


if __name__ == "__main__":
    main()
