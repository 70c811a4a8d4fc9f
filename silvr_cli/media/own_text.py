"""Text that the user brings: captions and subtitles of their own, with or without a video.

Captions come as one line a clip of N seconds (SiLVR's `captions_<N>s/ID.txt`), SRT or WebVTT,
or JSON: ours, or a list of {start, end, text}. docs/formats.md shows them all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, UsageError
from ..legible import legible
from ..records import KIND_NAMES, Line, Video
from .marks import unmarked
from .subtitles import ENDINGS, read_subtitles, read_text, worded

SCHEMA = "silvr-timeline/1"
CLIP_LENGTH = 8.0
FOLDER = re.compile(r"captions?_(\d+(?:\.\d+)?)s$")
ROWS = (".jsonl", ".ndjson")
ITEM = 'expected {"start": 0, "end": 8, "text": "…"} with times in seconds'

Tell = Callable[[str], None]


def read_own_text(
    captions: Path | None, subtitles: Path | None, clip_length: float | None
) -> tuple[Video, tuple[Line, ...]]:
    """A video made of text alone; its length is the last line's end.

    Its warnings tell what was taken for granted. Raises InputError, also for a file without text,
    and UsageError.
    """
    warnings: list[str] = []
    lines: tuple[Line, ...] = ()
    if captions:
        lines += worded(read_captions(captions, clip_length, warnings.append), captions)
    if subtitles:
        said = worded(read_subtitles(subtitles, warnings.append), subtitles)
        lines += unmarked(said, "speech")
    digest = hashlib.sha256(repr(lines).encode("utf-8")).hexdigest()
    name = " + ".join(legible(path.name) for path in (captions, subtitles) if path)
    duration = max(line.end for line in lines)
    return Video(f"text:{digest}", name, duration, warnings=tuple(warnings)), lines


def read_captions(
    path: Path, clip_length: float | None = None, tell: Tell | None = None
) -> tuple[Line, ...]:
    """Captions of a user's file; where it gives no times, a clip lasts `clip_length` seconds.

    Without it, its folder's name tells (`captions_<N>s`), else 8, which `tell` is told, as it is of
    cues that are left out.

    Raises InputError with the file, the place and what is expected; UsageError for a length that
    no clip can have.
    """
    if clip_length is not None and not 0 < clip_length < float("inf"):
        raise UsageError(f"a clip cannot last {clip_length:g} seconds", "give --clip-length 8")
    kind = path.suffix.lower()
    if kind in ENDINGS:
        return tuple(_levelled(n) for n in unmarked(read_subtitles(path, tell), "caption"))
    text = read_text(path)
    if kind == ".json" or kind in ROWS:
        found = list(_items(path, text))
        if not found or not all(isinstance(item, str) for _, item in found):
            return tuple(_line(path, place, item) for place, item in found)
        texts = [item for _, item in found]
    else:
        # Not splitlines: a form feed or U+2028 inside a caption would shift every later clip.
        texts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _one_a_clip(texts, _clip_seconds(path, clip_length, tell), path)


def _clip_seconds(path: Path, clip_length: float | None, tell: Tell | None) -> float:
    folder = FOLDER.search(path.absolute().parent.name)
    if clip_length is None and folder:
        clip_length = float(folder[1]) or None
    if clip_length is None and tell:
        name = legible(path.name)
        tell(f"{name}: taken as one caption for each {CLIP_LENGTH:g} seconds (--clip-length)")
    return clip_length or CLIP_LENGTH


def _one_a_clip(texts: Sequence[str], length: float, path: Path) -> tuple[Line, ...]:
    name = legible(path.name)
    return tuple(
        Line(index * length, (index + 1) * length, "caption", text.strip(), length, name)
        for index, text in enumerate(texts)
        if text.strip()
    )


def _items(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    """The captions of a JSON file, each with its place as a person would name it."""
    if path.suffix.lower() in ROWS:
        for number, row in enumerate(text.split("\n"), 1):
            if row.strip():
                yield f"line {number}", _json(f"{path.name}, line {number}", row)
        return
    document = _json(path.name, text)
    if isinstance(document, dict):
        if document.get("schema", SCHEMA) != SCHEMA:
            raise InputError(f"{path.name} is no {SCHEMA}: its schema is {document['schema']!r}")
        document = document.get("lines", document.get("captions"))
    if document == []:
        raise InputError(f"{path.name} holds no captions: its list is empty")
    if not isinstance(document, list):
        raise InputError(
            f"{path.name} holds no list of captions", 'expected [{"start", "end", "text"}, …]'
        )
    yield from ((f"caption {number}", item) for number, item in enumerate(document, 1))


def _json(place: str, text: str) -> Any:
    # This reader refuses NaN, lone surrogates and bottomless nesting, where json.loads does not.
    from pydantic_core import from_json

    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InputError(f"{place} is not JSON: {error}") from error


def _line(path: Path, place: str, item: Any) -> Line:
    where = f"{path.name}, {place}"
    if not isinstance(item, dict) or not {"start", "end", "text"} <= item.keys():
        raise InputError(f"{where}: start, end and text are needed", ITEM)
    start, end = (_seconds(item[key], where, key) for key in ("start", "end"))
    text, kind = item["text"], item.get("kind", "caption")
    level, source = item.get("level"), item.get("source", legible(path.name))
    if start > end:
        raise InputError(f"{where}: it cannot last from {start:g} to {end:g}", ITEM)
    if kind not in KIND_NAMES:
        raise InputError(f"{where}: {kind!r} is no kind", f"kinds: {', '.join(KIND_NAMES)}")
    if not isinstance(text, str) or not isinstance(source, str):
        raise InputError(f"{where}: text and source are words in quotes", ITEM)
    if level is not None:
        level = _seconds(level, where, "level") or None
    line = Line(start, end, kind, text, level, source)
    return line if "level" in item else _levelled(line)


def _levelled(line: Line) -> Line:
    """A caption without a level tells of a clip as long as it lasts, so that it can be merged."""
    if line.kind != "caption" or line.end <= line.start:
        return line
    return replace(line, level=round(line.end - line.start, 3) or None)


def _seconds(value: Any, where: str, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{where}: {key} is {value!r}, not a number of seconds", ITEM)
    try:
        seconds = float(value)
    except OverflowError:
        # JSON's integers know no bounds.
        seconds = float("inf")
    if not 0 <= seconds < float("inf"):
        raise InputError(f"{where}: {key} is {seconds:g}, not a time in a video", ITEM)
    return seconds
