"""SRT and WebVTT: a cue a line, to the millisecond; lines other than speech carry `[kind] `.

`read_cues` gives back what `cues` wrote: times to the millisecond, kind and text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Literal

from ..records import KIND_NAMES, Line

STAMP = r"(\d+):(\d\d):(\d\d)[.,](\d{3})"
CUE = re.compile(rf"{STAMP} --> {STAMP}[^\n]*\n(.*?)(?:\n\n|\n?\Z)", re.DOTALL)
MARKED = re.compile(rf"\[({'|'.join(KIND_NAMES)})\] ")


def cues(lines: Iterable[Line], format: Literal["srt", "vtt"]) -> str:
    """One document; characters that could end a cue or open a tag are written as entities."""
    mark = "." if format == "vtt" else ","
    blocks = []
    for number, line in enumerate(lines, 1):
        times = f"{_stamp(line.start, mark)} --> {_stamp(line.end, mark)}"
        blocks.append(f"{number}\n{times}\n{_cue_text(line)}\n")
    return "\n".join((["WEBVTT\n"] if format == "vtt" else []) + blocks)


def read_cues(text: str) -> tuple[Line, ...]:
    """Lines of a document that `cues` wrote, without level and source."""
    return tuple(_line(*match.groups()) for match in CUE.finditer(text))


def _cue_text(line: Line) -> str:
    text = html.escape(" ".join(line.text.split()), quote=False).replace("{", "&#123;")
    # Speech that begins like a mark is marked itself, or it would read back as another kind.
    if line.kind == "speech" and not MARKED.match(text):
        return text
    return f"[{line.kind}] {text}"


def _line(*parts: str) -> Line:
    start, end = _seconds(parts[:4]), _seconds(parts[4:8])
    text = parts[8]
    marked = MARKED.match(text)
    kind = marked[1] if marked else "speech"
    return Line(start, end, kind, html.unescape(text[marked.end() :] if marked else text))  # type: ignore[arg-type]


def _stamp(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}{mark}{thousandths:03d}"


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part) for part in parts)
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths) / 1000
