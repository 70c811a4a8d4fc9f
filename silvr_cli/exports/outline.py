"""Chapters and summaries as documents: text, Markdown, JSON, and what other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..records import Chapter, Line, Point, Summary, Video
from ..timeline import clock
from .markdown import plain

ChapterFormat = Literal["text", "youtube", "json", "ffmetadata", "vtt", "md"]
SummaryFormat = Literal["text", "md", "json"]
CHAPTERS, SUMMARY = "silvr-chapters/1", "silvr-summary/1"


def write_chapters(chapters: Sequence[Chapter], video: Video, format: ChapterFormat) -> str:
    """The chapters as one document of that format."""
    if format == "json":
        return _json({"schema": CHAPTERS, "video": _about(video), "chapters": tuple(chapters)})
    if format == "youtube":
        from .youtube import youtube

        return youtube(chapters)
    if format == "ffmetadata":
        from .ffmetadata import ffmetadata

        return ffmetadata(chapters)
    if format == "vtt":
        from .cues import cues

        return cues([Line(c.start, c.end, "speech", c.title) for c in chapters], "vtt")
    if format == "md":
        rows = [f"- **{clock(c.start)}** {plain(c.title)}" for c in chapters]
        return "\n".join([*_head(video), *rows])
    rows = [f"{clock(c.start)}-{clock(c.end)}" for c in chapters]
    width = max(map(len, rows), default=0)
    return "\n".join(f"{row:{width}}  {c.title}" for row, c in zip(rows, chapters, strict=True))


def write_summary(summary: Summary, video: Video, format: SummaryFormat) -> str:
    """The summary as one document of that format; every point carries its time."""
    if format == "json":
        return _json({"schema": SUMMARY, "video": _about(video), "summary": summary})
    rows = _head(video) if format == "md" else []
    for section in summary.sections:
        span = f"{clock(section.start)}-{clock(section.end)}"
        if section.title and format == "md":
            rows += ["", f"## {plain(section.title)} ({span})", ""]
        elif section.title:
            rows += ["", f"{span}  {section.title}"]
        rows += [_row(point, format, summary.style) for point in section.points]
    return "\n".join(rows).strip("\n")


def _row(point: Point, format: str, style: str) -> str:
    text = plain(point.text) if format == "md" else point.text
    task = "To do: " if point.kind == "task" else ""
    time = clock(point.start)
    if format == "md":
        return f"- {task}{text} **[{time}]**"
    return f"{text} [{time}]" if style == "tldr" else f"- [{time}] {task}{text}"


def _head(video: Video) -> list[str]:
    return [f"# {plain(video.name)}", "", f"Length {clock(video.duration)}", ""]


def _about(video: Video) -> dict[str, Any]:
    return {"id": video.id, "name": video.name, "duration": video.duration}


def _json(document: Any) -> str:
    from pydantic_core import to_json

    return to_json(document, indent=2).decode("utf-8")


def chapters_schema() -> dict[str, Any]:
    """The JSON schema of the chapters' document; published as docs/chapters.schema.json."""
    from pydantic import TypeAdapter

    parts = TypeAdapter(tuple[Chapter, ...]).json_schema(mode="serialization")
    return _schema(CHAPTERS, "chapters", parts)


def summary_schema() -> dict[str, Any]:
    """The JSON schema of the summary's document; published as docs/summary.schema.json."""
    from pydantic import TypeAdapter

    return _schema(SUMMARY, "summary", TypeAdapter(Summary).json_schema(mode="serialization"))


def _schema(name: str, key: str, inner: dict[str, Any]) -> dict[str, Any]:
    about = {"id": {"type": "string"}, "name": {"type": "string"}, "duration": {"type": "number"}}
    definitions = inner.pop("$defs", {})
    return {
        "type": "object",
        "properties": {
            "schema": {"const": name},
            "video": {"type": "object", "properties": about, "required": list(about)},
            key: inner,
        },
        "required": ["schema", "video", key],
        "$defs": definitions,
    }
