"""SRT and WebVTT: a cue a line, to the millisecond; lines other than speech carry `[kind] `.

Reading the file back with `--subtitles` gives the same times, kinds and words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from ..media.marks import marked
from ..records import Line

# Braces and backslashes open the styling of SubStation, which readers of SRT honour too.
STYLING = re.compile(r"\{|\\(?=[Nnh])")
TAG_OR_ARROW = re.compile(r"<(?= */? *[a-zA-Z]|\d+:)|(?<=--)>")
STAMP = re.compile(r"\d\d?:\d\d")


def cues(lines: Iterable[Line], format: Literal["srt", "vtt"]) -> str:
    """One document; characters that could end a cue or open a tag are written as entities."""
    mark = "." if format == "vtt" else ","
    blocks = []
    for number, line in enumerate(lines, 1):
        times = f"{_stamp(line.start, mark)} --> {_stamp(line.end, mark)}"
        text = marked(replace(line, text=" ".join(line.text.split())))
        blocks.append(f"{number}\n{times}\n{_escaped(text, format)}\n")
    return "\n".join((["WEBVTT\n"] if format == "vtt" else []) + blocks)


def _escaped(text: str, format: Literal["srt", "vtt"]) -> str:
    if format == "vtt":
        text = html.escape(text, quote=False)
    else:
        # SRT has no entities of its own and players show them as they stand, so R&D stays R&D:
        # only what a reader would take for an entity, a tag or an arrow is escaped.
        text = text if html.unescape(text) == text else text.replace("&", "&amp;")
        text = TAG_OR_ARROW.sub(_entity, text)
    if len(STAMP.findall(text)) > 1:  # two times on a line are a cue's times to some readers
        text = text.replace(":", "&#58;")
    return STYLING.sub(_entity, text)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _stamp(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}{mark}{thousandths:03d}"
