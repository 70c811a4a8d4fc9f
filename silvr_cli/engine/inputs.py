"""From what the user named to a list of videos: files, folders, globs, list files, addresses.

Opens no video. Folders give what looks like one, in order of name; what is named outright is taken
as it is, so that a wrong name becomes a line of the output and not a gap.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError

VIDEO = re.compile(
    r"\.(3g2|3gp|asf|avi|divx|dv|f4v|flv|gif|m2ts|m2v|m4v|mkv|mov|mp4|mpe|mpeg|mpg|mts|mxf|ogm|ogv"
    r"|rm|rmvb|ts|vob|webm|wmv|y4m)",
    re.IGNORECASE,
)
SOUND = re.compile(
    r"\.(aac|aif|aiff|amr|flac|m4a|m4b|mka|mp2|mp3|oga|ogg|opus|wav|weba|wma)", re.IGNORECASE
)
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
# How files begin whose name says nothing: ISO media, Matroska, RIFF, Ogg, FLV, ID3, FLAC, ASF.
BEGINNINGS = (
    b"\x1aE\xdf\xa3",
    b"RIFF",
    b"OggS",
    b"FLV\x01",
    b"ID3",
    b"fLaC",
    b"0&\xb2u\x8ef\xcf\x11",
)


@dataclass(slots=True)
class Found:
    """Videos in the order in which they were named, each once, and how many files are none."""

    videos: list[str] = field(default_factory=list)
    skipped: int = 0


def is_address(name: str) -> bool:
    """Whether a name is a URL and no path."""
    return bool(ADDRESS.match(name))


def find_videos(names: Iterable[str]) -> Found:
    """Every video that `names` stand for; raises UsageError for a glob that matches nothing."""
    found, known, entered = Found(), set[str](), set[tuple[int, int]]()

    def take(name: str) -> None:
        same = name if is_address(name) else os.path.abspath(name)
        if same not in known:
            known.add(same)
            found.videos.append(name)

    for name in names:
        for path in _matches(name):
            if is_address(path) or not os.path.isdir(path):
                take(path)
                continue
            for inside in _walk(path, entered):
                if inside.wanted:
                    take(inside.path)
                else:
                    found.skipped += 1
    return found


def read_list(name: str) -> list[str]:
    """The names in a list file (`-`: stdin), one a line; blank lines and those with # do not count.

    Relative paths are taken from the list's own folder. Raises UsageError.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"the list {name} cannot be read: {error.strerror}") from error
    folder = "" if name == "-" else os.path.dirname(name)
    # Names of files are bytes; those that are not UTF-8 must come through unharmed. Not
    # splitlines: U+2028 inside a name ends no line.
    lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).split("\n")
    wanted = (line.strip() for line in lines)
    named = [line for line in wanted if line and not line.startswith("#")]
    return [n if is_address(n) else os.path.join(folder, os.path.expanduser(n)) for n in named]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    wanted: bool


def _matches(name: str) -> list[str]:
    """A glob's matches in order; a file that really has such a name comes first."""
    if is_address(name) or os.path.lexists(name) or not glob.has_magic(name):
        return [name]
    matches = sorted(glob.glob(name, recursive=True))
    if not matches:
        raise UsageError(f"nothing matches {name}", "check the pattern")
    return matches


def _walk(folder: str, entered: set[tuple[int, int]]) -> Iterator[_Entry]:
    """What is in a folder and below; each folder once, however many links lead to it.

    What cannot be read is given as if it were a video, so that its line says so.
    """
    try:
        stat = os.stat(folder)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield _Entry(folder, True)
        return
    here = stat.st_dev, stat.st_ino
    if here in entered:
        return
    entered.add(here)
    for entry in entries:
        if entry.name.startswith("."):
            yield _Entry(entry.path, False)
        elif _is_folder(entry):
            yield from _walk(entry.path, entered)
        else:
            yield _Entry(entry.path, _looks_like_video(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Also where nobody can tell, such as a link to itself: entering it says what is wrong."""
    try:
        return entry.is_dir()
    except OSError:
        return True


def _looks_like_video(entry: os.DirEntry[str]) -> bool:
    suffix = os.path.splitext(entry.name)[1]
    if suffix:
        return bool(VIDEO.fullmatch(suffix) or SOUND.fullmatch(suffix))
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(BEGINNINGS) or head[4:8] == b"ftyp"
