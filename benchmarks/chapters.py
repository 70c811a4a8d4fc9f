"""Precision, recall and F1 of chapter boundaries against a made film, beside uniform chapters.

    python benchmarks/chapters.py VIDEO TRUTH.json [--tolerance 5] [--titles] [--llm SPEC]
                                  [--set section.key=value]

TRUTH holds `chapters`, else `segments`, of a made film; the start of the video counts neither as
found nor as known. The floor is as many chapters of equal length. Each sign is also left out in
turn, to see what the figure rests on. `--titles` asks the model for titles and counts those that
are the made ones; boundaries alone need no model.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from silvr_cli import overview, pipeline
from silvr_cli.cli.options import settings_from
from silvr_cli.session import Described


def matched(known: Sequence[float], found: Sequence[float], tolerance: float) -> int:
    """The most pairs within the tolerance, each time used once; both lists are in order."""
    pairs, j = 0, 0
    for time_ in known:
        while j < len(found) and found[j] < time_ - tolerance:
            j += 1
        if j < len(found) and found[j] <= time_ + tolerance:
            pairs, j = pairs + 1, j + 1
    return pairs


def figures(known: Sequence[float], found: Sequence[float], tolerance: float) -> str:
    hits = matched(known, found, tolerance)
    precision, recall = hits / max(1, len(found)), hits / max(1, len(known))
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}  found {len(found)}"


def without(described: Described, sign: str) -> Described:
    lines = described.timeline.lines
    if sign == "cuts":
        return replace(described, cuts=())
    kept = tuple(line for line in lines if line.kind != sign)
    return replace(described, timeline=replace(described.timeline, lines=kept))


def plain(text: str) -> str:
    return re.sub(r"\W+", "", text.casefold())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--tolerance", type=float, default=5.0)
    parser.add_argument("--titles", action="store_true")
    parser.add_argument("--llm")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    truth = json.loads(options.truth.read_text("utf-8"))
    parts = truth.get("chapters") or truth["segments"]
    known = sorted(part["start"] for part in parts if part["start"] > 0)
    settings = settings_from(options.set, models__llm=options.llm).settings
    with pipeline.Session.open(settings) as session:
        described = pipeline.describe(pipeline.Source(options.video), session)
        started = time.monotonic()
        found = overview.starts(described, session)[1:]
        spent = time.monotonic() - started
        duration = described.timeline.video.duration
        print(f"known {len(known)} in {duration:.0f} s, within {options.tolerance:g} s")
        print(f"all signs       {figures(known, found, options.tolerance)}   {spent:.2f} s")
        near = options.tolerance
        print("   missed", [t for t in known if all(abs(t - f) > near for f in found)])
        print("   false ", [f for f in found if all(abs(t - f) > near for t in known)])
        step = duration / (len(found) + 1)
        even = [step * (i + 1) for i in range(len(found))]
        print(f"uniform floor   {figures(known, even, options.tolerance)}")
        for sign in ("cuts", "screen", "speech"):
            rest = overview.starts(without(described, sign), session)[1:]
            print(f"without {sign:8s}{figures(known, rest, options.tolerance)}")
        if options.titles:
            with closing(pipeline.open_text_model(session)) as model:
                started = time.monotonic()
                chapters = pipeline.chapters(described, session, model=model)
            spent = time.monotonic() - started
            made = [c.start for c in chapters[1:]]
            print(f"with the model  {figures(known, made, options.tolerance)}   {spent:.1f} s")
            same = 0
            for chapter in chapters:
                beside = min(parts, key=lambda part: abs(part["start"] - chapter.start))
                good = plain(beside.get("title", "")) == plain(chapter.title)
                same += good
                print(
                    f"   {chapter.start:7.1f} {'=' if good else ' '} {chapter.title}"
                    f"   | {beside.get('title')}"
                )
            print(f"titles as made  {same} of {len(chapters)}")


if __name__ == "__main__":
    main()
