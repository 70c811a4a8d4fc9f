"""Chapters as ffmpeg's FFMETADATA1 file: `ffmpeg -i film.mp4 -i chapters.txt -map_chapters 1`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..records import Chapter

# What the format gives a meaning; a line break within a value is written behind a backslash too.
SPECIAL = re.compile(r"([=;#\\\n])")


def ffmetadata(chapters: Sequence[Chapter], title: str = "") -> str:
    """The whole file, with times in milliseconds."""
    rows = [";FFMETADATA1"]
    if title:
        rows.append(f"title={_escaped(title)}")
    for chapter in chapters:
        rows += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(chapter.start * 1000)}",
            f"END={round(chapter.end * 1000)}",
            f"title={_escaped(chapter.title)}",
        ]
    return "\n".join(rows)


def _escaped(text: str) -> str:
    # ffmpeg takes a line break after any backslash for part of the value, an escaped one too.
    return SPECIAL.sub(r"\\\1", text + " " if text.endswith("\\") else text)
