"""The answers of a run, each kept as soon as it is there, under a key of all that made it.

A killed run goes on from here. Knows no benchmark and no model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, UsageError
from ..records import Usage
from .benchmark import Response


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer and what it took; `reply` is the model's own words or its reasoning.

    `answer_id` is the record that `silvr show` replays, `asked` the last prompt where the reply was
    of no use and there is none. `context_tokens` is what was read, `plan` how it was chosen,
    `judged` a judge's mark from 0 to 1.
    """

    key: str
    response: Response
    usage: Usage = Usage()
    seconds: float = 0.0
    answer_id: str = ""
    reply: str = ""
    asked: str = ""
    plan: str = ""
    context_tokens: int = 0
    prompts: Mapping[str, str] = field(default_factory=dict)
    judged: float | None = None


def key(parts: Mapping[str, Any]) -> str:
    """SHA-256 over everything that could change an answer."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Log:
    """`answers.jsonl`: one answer a line, appended and flushed as each comes."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier run left; raises UsageError when the folder cannot be written."""
        self.path = path
        self.found: dict[str, Kept] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_bytes() if path.exists() else b""
            whole, _, torn = text.rpartition(b"\n")
            for number, line in enumerate(filter(None, whole.split(b"\n")), 1):
                kept = _decoded(line, path, number)
                self.found[kept.key] = kept
            if torn:
                # A kill in the middle of a line, or of a letter: that answer is asked for again.
                os.truncate(path, len(text) - len(torn))
            self._file = path.open("ab")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror}", "choose another -o"
            ) from error

    def get(self, key: str) -> Kept | None:
        return self.found.get(key)

    def put(self, kept: Kept) -> None:
        """Keep one answer; it survives a kill from now on."""
        from pydantic_core import to_json

        self._file.write(to_json(kept) + b"\n")
        self._file.flush()
        self.found[kept.key] = kept

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _decoded(line: bytes, path: Path, number: int) -> Kept:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Kept).validate_json(line)
    except ValidationError as error:
        raise InputError(
            f"{path}, line {number} is no answer of this silvr",
            "remove the file, or choose another -o",
        ) from error
