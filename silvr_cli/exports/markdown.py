"""A timeline as a Markdown page to read."""

from __future__ import annotations

import re

from ..records import Timeline
from ..timeline import clock

SPECIAL = re.compile(r"([\\`*_\[\]<>#|&~])")


def markdown(timeline: Timeline) -> str:
    """A heading, then a list item a line; the video's text cannot make headings or links."""
    title = plain(timeline.video.name)
    head = [f"# {title}", "", f"Length {clock(timeline.video.duration)}", ""]
    rows = [
        f"- **{clock(line.start)}–{clock(line.end)}** {line.kind}: {plain(line.text)}"
        for line in timeline.lines
    ]
    return "\n".join(head + rows)


def plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
