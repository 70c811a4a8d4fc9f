"""Writes tests/goldens from the real clips, to be read and judged before they are committed.

python tests/make_goldens.py [CLIP …]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from silvr_cli import pipeline
from silvr_cli.configuration import load
from silvr_cli.records import Line
from silvr_cli.timeline import as_text

GOLDENS = Path(__file__).with_name("goldens")
MEDIA = Path(__file__).parents[2] / "shared" / "media"


def described(clip: Path, cache: Path) -> tuple[Line, ...]:
    """The clip's timeline by the embedded default; subtitles beside it are not used."""
    flags = {"cache.path": cache, "models.speech": "whisper/base", "models.vision": "embedded"}
    with pipeline.Session.open(load(flags).settings) as session:
        return pipeline.describe(pipeline.Source(clip), session).timeline.lines


if __name__ == "__main__":
    names = sys.argv[1:] or [path.stem for path in sorted(GOLDENS.glob("*.txt"))]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            lines = described(MEDIA / name, Path(folder) / "cache.sqlite")
            (GOLDENS / f"{name}.txt").write_text(as_text(lines) + "\n", "utf-8")
