"""Lines of the batch's output as bytes, and what a file of them holds.

Tells lines of ours, whole or torn, from what somebody else has written; writes to no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UsageError
from ..legible import legible
from .jobs import SCHEMA, Ask, Job, Result

# How a line begins: its id stands between the two.
HEAD, AFTER_ID = b'{"id":"', b'","video":"'
ID = re.compile(rb'(?:[^"\\]|\\.)*', re.DOTALL)
# What UTF-8 cannot say: bytes of names that are not UTF-8 come as these.
SURROGATE = re.compile("[\ud800-\udfff]")


class Ident(NamedTuple):
    """What a line is about, whatever it says."""

    task: str
    video: str
    id: str

    @classmethod
    def of(cls, job: Job, ask: Ask) -> Ident:
        """As the line will have it."""
        return cls(job.task, legible(job.video), ask.line_id(job.task, job.video))


@dataclass(frozen=True, slots=True)
class Known:
    """What the file says of one Ident."""

    key: str
    status: str


class Span(NamedTuple):
    """Where a line begins and how long it is, in bytes."""

    at: int
    size: int


@dataclass(slots=True)
class Held:
    """What a file holds: the last line of each Ident, and where the last whole line ends.

    `replaced`: some lines do not count any more; `unended`: the last one has no newline.
    """

    known: dict[Ident, Known] = field(default_factory=dict)
    spans: dict[Ident, Span] = field(default_factory=dict)
    end: int = 0
    replaced: bool = False
    unended: bool = False

    def by_known(self, asked: Container[Ident]) -> dict[Known, Span]:
        """A line for all that the file says, whoever's name it carries; rather none of `asked`.

        What a file that was renamed has cost stands in its own line, not in that of a copy.
        """
        known = sorted(self.known.items(), key=lambda item: item[0] not in asked)
        return {told: self.spans[ident] for ident, told in known}

    def add(self, line: dict[str, Any], data: bytes) -> None:
        ident = Ident(line["task"], line["video"], line["id"])
        self.replaced = self.replaced or ident in self.known
        self.known[ident] = Known(line["key"], line["status"])
        self.spans[ident] = Span(self.end, len(data))
        self.end += len(data)
        self.unended = not data.endswith(b"\n")


def read(path: Path) -> Held:
    """What a file holds; raises UsageError when silvr batch has not written it."""
    held = Held()
    refuse(path)
    if not path.exists():
        return held
    with path.open("rb") as file:
        for number, data in enumerate(file, 1):
            line = _parsed(data)
            if line is not None:
                held.add(line, data)
            elif _torn(data) and (number > 1 or data.strip(b"\0")):
                break
            else:
                raise UsageError(
                    f"{path} was not written by silvr batch (line {number})",
                    "choose another -o: silvr does not touch it",
                )
    return held


def refuse(path: Path) -> None:
    """Raise UsageError for what is there and is no file that can be appended to and read again."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "choose another -o")
    if path.exists() and not path.is_file():
        raise UsageError(
            f"{path} is no regular file, so nothing could be resumed from it",
            "choose another -o; without one, lines go to stdout",
        )


def encoded(result: Result) -> bytes:
    """The line's bytes; nothing that a name or a model says can keep it from being written."""
    from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

    try:
        return to_json(result) + b"\n"
    except PydanticSerializationError:
        return _dumped(to_jsonable_python(result))


def renamed(data: bytes, ident: Ident) -> bytes:
    """The same line under another name."""
    return _dumped({**json.loads(data), "video": ident.video, "id": ident.id})


def _dumped(line: Any) -> bytes:
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    # Twice, for in JSON one backslash would bring the character back, which many readers refuse.
    return SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text).encode() + b"\n"


def _parsed(data: bytes) -> dict[str, Any] | None:
    """A whole line of ours, else None."""
    line = _json(data)
    if not isinstance(line, dict) or line.get("schema") != SCHEMA:
        return None
    named = ("task", "video", "id", "key", "status")
    return line if all(isinstance(line.get(name), str) for name in named) else None


def _torn(data: bytes) -> bool:
    """Whether a kill leaves a line of ours like this, or a power cut, which may add zeros."""
    if data.endswith(b"\n") or _json(data) is not None:
        return False
    text = data.rstrip(b"\0")
    if not text.startswith(HEAD):
        return HEAD.startswith(text)
    found = ID.match(text, len(HEAD))
    rest = text[found.end() :] if found else b""
    return rest == b"\\" or rest.startswith(AFTER_ID) or AFTER_ID.startswith(rest)


def _json(data: bytes) -> Any:
    """What the bytes say as JSON; None when they are none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
