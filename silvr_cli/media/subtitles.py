"""Speech that somebody has written down already: subtitle files and a video's own text tracks.

Gives lines of kind speech with times from the video's start; transcribes nothing.
"""

from __future__ import annotations

import html
import os
import re
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..legible import legible
from ..records import Line
from .cues import cues
from .probe import TEXT_CODECS, opened, origin

ENDINGS = (".srt", ".vtt", ".ass", ".ssa")
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")
# File systems tell times to two seconds at worst: a folder changed since may change unseen.
SETTLED_NS = 2_500_000_000
# So many lines are named in a note.
SHOWN = 5
# The markup of SRT and WebVTT, times within a line, and what SubStation left behind: anything
# else in brackets or braces is what somebody says.
TAG = re.compile(
    r"</?(?:b|i|u|s|c|ruby|rt)(?:\.[^\s<>]+)?(?:\s+[\w-]+\s*=[^<>]*)?\s*/?>"
    r"|</?(?:font|v|lang)(?:\.[^\s<>]+)?(?:\s[^<>]*)?>"
    r"|<\d+:[\d:.]+>"
    r"|\{\\[^}]*\}",
    re.IGNORECASE,
)
# SubStation's breaks and hard spaces; in other formats they are letters after a backslash.
SPACE = re.compile(r"\\[Nnh]")
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

Tell = Callable[[str], None]


def read_subtitles(path: Path, tell: Tell | None = None) -> tuple[Line, ...]:
    """Utterances of an .srt, .vtt or .ass file, without styling; raises InputError.

    `tell` is told of cues that are left out because their times cannot be read.
    """
    text = read_text(path)
    source = f"subtitles:{legible(path.name)}"
    lines = (
        Line(start, max(start, end), "speech", _plain(words), None, source)
        for start, end, words in _timed(path, text, tell)
    )
    return unrolled(sorted(lines, key=lambda n: (n.start, n.end)))


def silent(path: Path) -> bool:
    """Whether a subtitle file can be read and holds no text."""
    try:
        return not read_subtitles(path)
    except InputError:
        return False


def worded(lines: tuple[Line, ...], path: Path) -> tuple[Line, ...]:
    """The lines of a file that the user gave; raises InputError when none has text."""
    if not any(line.text.strip() for line in lines):
        raise InputError(f"{path.name} holds no text", "give another file, or none")
    return lines


def _timed(path: Path, text: str, tell: Tell | None) -> list[tuple[float, float, str]]:
    """Start, end and words, markup and all, of every cue that has times."""
    form, styled = _format(path, text), None
    if form is None:
        styled = _parsed(path, text)
        form = styled.format
    if form in ("srt", "vtt"):
        return _written(path, text, form == "vtt", tell)
    # Only here are \N, \n and \h breaks and spaces, and braces without words of the speaker's.
    events = [e for e in styled or () if not e.is_comment]
    return [(e.start / 1000, e.end / 1000, e.plaintext) for e in events]


def _parsed(path: Path, text: str) -> Any:
    """The file as pysubs2 reads it, in whatever format it finds."""
    import pysubs2

    try:
        with warnings.catch_warnings():
            # Words that look like times are words.
            warnings.simplefilter("ignore")
            return pysubs2.SSAFile.from_string(text)
    except Exception as error:
        raise _unreadable(path) from error


def _unreadable(path: Path, hint: str = "expected SRT, WebVTT or ASS") -> InputError:
    return InputError(f"{path.name} cannot be read as subtitles", hint)


def _written(path: Path, text: str, vtt: bool, tell: Tell | None) -> list[tuple[float, float, str]]:
    """The cues of SRT or WebVTT; pysubs2 would take braces and backslashes in them for styling."""
    found = cues(text, vtt)
    unread = [cue.row for cue in found if cue.span is None]
    timed = [(*cue.span, cue.text) for cue in found if cue.span]
    if unread and not timed:
        expected = "expected times such as 00:00:05,000 --> 00:00:08,000"
        raise _unreadable(path, f"line {unread[0]}: {expected}")
    if not timed and text.strip() not in ("", "WEBVTT"):
        raise _unreadable(path)
    if unread and tell:
        tell(f"{legible(path.name)}: {_left_out(unread)}")
    return timed


def _left_out(rows: Sequence[int]) -> str:
    if len(rows) == 1:
        return f"1 cue is left out: the times in line {rows[0]} cannot be read"
    shown = ", ".join(map(str, rows[:SHOWN])) + (", …" if len(rows) > SHOWN else "")
    return f"{len(rows)} cues are left out: the times in lines {shown} cannot be read"


def _format(path: Path, text: str) -> str | None:
    """What an .srt or .vtt file holds; a guess from its words would take their text for it."""
    if path.suffix.lower() not in (".srt", ".vtt"):
        return None
    return "vtt" if text.lstrip().startswith("WEBVTT") else "srt"


def read_text(path: Path) -> str:
    """A text file in UTF-8, UTF-16 or, failing both, Windows-1252; raises InputError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check the name") from error
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is not a text file")
    for encoding in ENCODINGS:
        if encoding == "utf-16" and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path.name} is in no known text encoding", "save it as UTF-8")


def find_sidecar(video: Path, language: str | None = None) -> Path | None:
    """The subtitle file beside a video: talk.srt, or talk.en.srt; the wanted language first."""
    try:
        changed = video.parent.stat().st_mtime_ns
        # Where many videos lie in one folder, it is not listed for each of them.
        settled = time.time_ns() - changed > SETTLED_NS
        beside = (_subtitles_in if settled else _subtitles_in.__wrapped__)(video.parent, changed)
    except OSError:
        return None
    found = [p for p in beside if p.stem == video.stem or p.stem.startswith(f"{video.stem}.")]

    def rank(path: Path) -> tuple[bool, bool, int]:
        middle = path.stem[len(video.stem) + 1 :]
        return middle != (language or ""), bool(middle), ENDINGS.index(path.suffix.lower())

    return min(found, key=rank, default=None)


@lru_cache(maxsize=64)
def _subtitles_in(folder: Path, changed: int) -> tuple[Path, ...]:
    """Subtitle files of a folder that was last changed at `changed`, in order of name."""
    del changed
    names = sorted(n for n in os.listdir(folder) if os.path.splitext(n)[1].lower() in ENDINGS)
    return tuple(folder / name for name in names)


def read_embedded(
    path: Path, track: int | None = None, language: str | None = None
) -> tuple[Line, ...]:
    """Utterances of a text track inside the video; the asked one, else language, else default.

    Raises InputError when `track` is no text track.
    """
    with opened(path) as container:
        streams = [s for s in container.streams.subtitles if s.name in TEXT_CODECS]
        if track is not None and track not in [s.index for s in streams]:
            have = ", ".join(str(s.index) for s in streams) or "none"
            raise InputError(f"{path.name} has no text track {track}", f"tracks here: {have}")
        wanted = [s for s in streams if track in (None, s.index)]
        wanted.sort(
            key=lambda s: (s.metadata.get("language", "")[:2] != (language or "")[:2], s.index)
        )
        zero = origin(container)
        cues: dict[int, list[Line]] = {s.index: [] for s in wanted}
        for packet in container.demux(wanted):
            cues[packet.stream.index].extend(_cue(packet, zero))
        for stream in wanted:
            if cues[stream.index]:
                return unrolled(cues[stream.index])
    return ()


def _cue(packet: Any, zero: float) -> Iterable[Line]:
    if packet.pts is None or not packet.size:
        return
    start = float(packet.pts * packet.time_base) - zero
    end = start + float((packet.duration or 0) * packet.time_base)
    language = packet.stream.metadata.get("language")
    source = f"subtitles:track {packet.stream.index}" + (f" ({language})" if language else "")
    for text in _decoded(packet):
        if text:
            yield Line(max(0.0, start), max(0.0, end), "speech", text, None, source)


def _decoded(packet: Any) -> Iterable[str]:
    data = bytes(packet)
    if packet.stream.name == "mov_text":
        # A 16-bit length, the text, then boxes of styling.
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    text = data.decode("utf-8", "replace")
    if packet.stream.name in ("ass", "ssa"):
        # Eight fields and then the text, which may hold commas itself.
        text = SPACE.sub(" ", text.split(",", 8)[-1])
    yield _plain(text)


def _plain(text: str) -> str:
    return " ".join(html.unescape(TAG.sub("", BREAK.sub(" ", text))).split())


def unrolled(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Drop empty cues and those that only repeat the one before, as rolling captions do."""
    kept: list[Line] = []
    for line in lines:
        if not line.text:
            continue
        if kept and line.text == kept[-1].text and line.start - kept[-1].end < 0.5:
            last = kept.pop()
            line = Line(last.start, max(last.end, line.end), "speech", line.text, None, line.source)
        kept.append(line)
    return tuple(kept)
