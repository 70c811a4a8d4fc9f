"""Captions, screen text and utterances as ordered lines of text; pure.

Knows how a timeline prints, nests and round-trips as JSON; knows no file and no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from .errors import InputError
from .records import Kind, Line, Timeline, Video

SCHEMA = "silvr-timeline/1"
# So many seconds may text begin after the end of its video.
TOLERATED = 1.0
# Between the rows of one screen text.
ROW_JOINT = " / "
KINDS: tuple[Kind, ...] = ("summary", "caption", "screen", "sound", "speech")
# The source of captions that tell only that the picture changes.
BLIND = "embedded"
# What would steer a terminal, end a line or fail to encode; never words.
NOT_WORDS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def build(video: Video, *groups: Iterable[Line]) -> Timeline:
    """Lines in order of time, clamped into the video, without empties and exact repeats.

    What begins and ends together stays in the order in which it came.
    """
    clean = {_clean(line, video.duration): None for group in groups for line in group}
    lines = [line for line in clean if line.text]
    lines.sort(key=lambda line: (line.start, line.end, KINDS.index(line.kind)))
    return Timeline(video, tuple(lines))


def within(lines: Iterable[Line], duration: float) -> tuple[Line, ...]:
    """Those that do not begin after the video's end: clamped, they would tell of its last part."""
    return tuple(line for line in lines if line.start <= duration + TOLERATED)


def _clean(line: Line, duration: float) -> Line:
    start = min(max(0.0, line.start), duration)
    end = min(max(start, line.end), duration)
    return replace(line, start=start, end=end, text=" ".join(NOT_WORDS.sub(" ", line.text).split()))


def clock(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour; whole seconds, rounded down."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def parse_clock(text: str) -> float:
    """Seconds from `1:02:03`, `2:03.5`, `62.5` or `1h2m3s`; raises ValueError."""
    text = text.strip()
    units = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", text)
    if text and units:
        hours, minutes, seconds = (float(part or 0) for part in units.groups())
        return hours * 3600 + minutes * 60 + seconds
    parts = text.replace(",", ".").split(":")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"\d+(\.\d+)?", part) for part in parts):
        raise ValueError(f"'{text}' is no time such as 1:02:03")
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return total


def line_text(line: Line) -> str:
    """One line as a person and a model read it; its text cannot start another."""
    text = " ".join(line.text.split())
    return f"[{clock(line.start)}-{clock(line.end)}] {line.kind}: {text}"


def sees(line: Line) -> bool:
    """Whether it is a caption that tells what is in the picture, not only that it changes."""
    return line.kind == "caption" and line.source != BLIND


def as_text(lines: Iterable[Line]) -> str:
    return "\n".join(line_text(line) for line in lines)


def window(lines: Iterable[Line], start: float, end: float) -> tuple[Line, ...]:
    """The lines that touch `[start, end)`."""
    return tuple(n for n in lines if n.start < end and (n.end > start or n.start >= start))


def levels(lines: Iterable[Line]) -> tuple[float, ...]:
    """The clip lengths that captions come in, ascending."""
    return tuple(sorted({n.level for n in lines if n.kind == "caption" and n.level}))


def merge_captions(lines: Sequence[Line], level: float) -> tuple[Line, ...]:
    """Fold captions finer than `level` seconds into one a clip of that length; others pass.

    Texts are joined in order, each told once: the merging form of SiLVR's Adaptive Context
    Reduction (arXiv 2505.24869, section 3.2), for when no vision model can caption again.
    """
    merged: dict[int, list[Line]] = {}
    kept: list[Line] = []
    for line in lines:
        if line.kind == "caption" and (line.level or 0.0) < level:
            merged.setdefault(int(line.start // level), []).append(line)
        else:
            kept.append(line)
    for group in merged.values():
        text = "; ".join(dict.fromkeys(part for n in group for part in n.text.split("; ")))
        end = max(n.end for n in group)
        kept.append(replace(group[0], end=end, text=text, level=level))
    return tuple(sorted(kept, key=lambda n: (n.start, n.end, KINDS.index(n.kind))))


def to_json(timeline: Timeline) -> str:
    """The whole timeline as one JSON document; `from_json` gives it back unchanged."""
    from pydantic_core import to_json as dump

    document = {"schema": SCHEMA, "video": timeline.video, "lines": timeline.lines}
    return dump(document, indent=1).decode("utf-8")


def from_json(text: str) -> Timeline:
    """Read `to_json`'s document; raises InputError that names the first bad place."""
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import from_json as load

    try:
        document = load(text, allow_inf_nan=False)
    except ValueError as error:
        raise InputError(f"this is not JSON: {error}") from error
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise InputError(f"this JSON is no timeline: its schema is not {SCHEMA}")
    try:
        timeline = TypeAdapter(Timeline).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"this timeline's {place} is wrong: {first['msg'].lower()}") from error
    for index, line in enumerate(timeline.lines):
        if not 0 <= line.start <= line.end < float("inf"):
            raise InputError(
                f"this timeline's lines.{index} cannot last from {line.start:g} to {line.end:g}"
            )
    return timeline


def json_schema() -> dict[str, Any]:
    """The JSON schema of `to_json`'s document; published as docs/timeline.schema.json."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Timeline).json_schema()
    schema["properties"] = {"schema": {"const": SCHEMA}, **schema["properties"]}
    schema["required"] = ["schema", *schema.get("required", []), "lines"]
    return schema
