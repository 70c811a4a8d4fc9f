"""Timelines in the formats that other programs read; one format a file, text in and out."""

from __future__ import annotations

from typing import Literal

from ..records import Timeline

Format = Literal["text", "json", "srt", "vtt", "md"]


def write(timeline: Timeline, format: Format) -> str:
    """The timeline as one document of that format."""
    if format == "text":
        from ..timeline import as_text

        return as_text(timeline.lines)
    if format == "json":
        from ..timeline import to_json

        return to_json(timeline)
    if format == "md":
        from .markdown import markdown

        return markdown(timeline)
    from .cues import cues

    return cues(timeline.lines, format)
