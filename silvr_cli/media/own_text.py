"""Text that the user brings: captions and subtitles of their own, with or without a video.

Captions come as one line a clip of N seconds (SiLVR's `captions_<N>s/ID.txt`), SRT or WebVTT,
or JSON: ours, or a list of {start, end, text}.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import KIND_NAMES, Line, Video
from .subtitles import ENDINGS, read_subtitles, read_text

CLIP_LENGTH = 8.0
FOLDER = re.compile(r"captions?_(\d+(?:\.\d+)?)s$")


def read_own_text(
    captions: Path | None, subtitles: Path | None, clip_length: float | None
) -> tuple[Video, tuple[Line, ...]]:
    """A video made of text alone; its length is the last line's end. Raises InputError."""
    lines = (
        *(read_captions(captions, clip_length) if captions else ()),
        *(read_subtitles(subtitles) if subtitles else ()),
    )
    if not lines:
        raise InputError("the given captions and subtitles hold no text")
    digest = hashlib.sha256(repr(lines).encode("utf-8")).hexdigest()
    name = " + ".join(path.name for path in (captions, subtitles) if path)
    return Video(f"text:{digest}", name, max(line.end for line in lines)), lines


def read_captions(path: Path, clip_length: float | None = None) -> tuple[Line, ...]:
    """Captions of a user's file; a plain text's clips last `clip_length` seconds.

    Without it, its folder's name tells (`captions_<N>s`), else 8.

    Raises InputError with the file, the place and what is expected.
    """
    if path.suffix.lower() in ENDINGS:
        return tuple(replace(n, kind="caption") for n in read_subtitles(path))
    text = read_text(path)
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        return _from_json(path, text, clip_length)
    folder = FOLDER.search(path.absolute().parent.name)
    length = clip_length or (float(folder[1]) if folder else CLIP_LENGTH)
    return _one_a_clip(text.splitlines(), length, path)


def _one_a_clip(texts: list[str], length: float, path: Path) -> tuple[Line, ...]:
    return tuple(
        Line(index * length, (index + 1) * length, "caption", text.strip(), length, path.name)
        for index, text in enumerate(texts)
        if text.strip()
    )


def _from_json(path: Path, text: str, clip_length: float | None) -> tuple[Line, ...]:
    try:
        if path.suffix.lower() == ".json":
            document = json.loads(text)
        else:
            document = [json.loads(row) for row in text.splitlines() if row.strip()]
    except ValueError as error:
        raise InputError(f"{path.name} is not JSON: {error}") from error
    if isinstance(document, dict):
        document = document.get("lines", document.get("captions"))
    if not isinstance(document, list) or not document:
        raise InputError(
            f"{path.name} holds no list of captions", 'expected [{"start", "end", "text"}, …]'
        )
    if all(isinstance(item, str) for item in document):
        return _one_a_clip(document, clip_length or CLIP_LENGTH, path)
    return tuple(_item(path, index, item) for index, item in enumerate(document))


def _item(path: Path, index: int, item: Any) -> Line:
    try:
        start, end = float(item["start"]), float(item["end"])
        text, kind = str(item["text"]), item.get("kind", "caption")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path.name}, caption {index + 1}: start, end and text are needed"
        ) from error
    if kind not in KIND_NAMES or not 0 <= start <= end < float("inf"):
        raise InputError(
            f"{path.name}, caption {index + 1}: kind '{kind}' from {start} to {end} cannot be",
            f"kinds: {', '.join(KIND_NAMES)}; 0 <= start <= end",
        )
    level = item.get("level")
    return Line(
        start, end, kind, text, float(level) if level else None, item.get("source", path.name)
    )
