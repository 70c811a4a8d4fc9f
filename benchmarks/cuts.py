"""Recall and precision of scene cuts against a film whose cuts are known.

    python benchmarks/cuts.py VIDEO TRUTH.json [--tolerance 0.5]

TRUTH holds `segments` and `visual_events` of a made film. Cuts inside a clip segment that come
from its own footage are unknown to it: they count neither as hits nor as false alarms.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from silvr_cli.media.decode import Projector
from silvr_cli.media.probe import probe
from silvr_cli.settings import Media, Scenes
from silvr_cli.stages.scenes import find_scenes


def known_cuts(truth: dict) -> tuple[list[float], list[tuple[float, float]]]:
    """Times of the known cuts, and the spans whose inner cuts are unknown."""
    times = {s["start"] for s in truth["segments"]} | {e["t0"] for e in truth["visual_events"]}
    unknown = [(s["start"], s["end"]) for s in truth["segments"] if s["type"] == "clip"]
    return sorted(t for t in times if t > 0), unknown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.5)
    options = parser.parse_args()
    known, unknown = known_cuts(json.loads(options.truth.read_text("utf-8")))
    with Projector(probe(options.video), Media()) as projector:
        footage = projector.footage()
        for method in ("adaptive", "content", "tile"):
            scenes = find_scenes(footage.thumbs, footage.duration, Scenes(method=method))
            found = [scene.start for scene in scenes[1:]]
            near = options.tolerance
            hits = [t for t in known if any(abs(t - f) <= near for f in found)]
            false = [
                f
                for f in found
                if all(abs(t - f) > near for t in known)
                and not any(a + near < f < b - near for a, b in unknown)
            ]
            recall, precision = len(hits) / len(known), 1 - len(false) / max(1, len(found))
            print(
                f"{method:9s} recall {recall:.3f}  precision {precision:.3f}  "
                f"known {len(known)}  found {len(found)}"
            )
            print("   missed", [t for t in known if t not in hits], "false", false)


if __name__ == "__main__":
    main()
