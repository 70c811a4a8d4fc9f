"""Loads, fills and hashes the prompt templates in prompts/ (the package silvr_prompts).

A folder of the user's own may hold changed ones: `use` puts them in the place of ours.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from .errors import UsageError

OPEN, CLOSE = "<recording>", "</recording>"
_own: Path | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template and the short hash that tells its versions apart."""

    name: str
    template: str

    @property
    def sha(self) -> str:
        return hashlib.sha256(self.template.encode("utf-8")).hexdigest()[:12]

    @property
    def about(self) -> str:
        """Its opening comment: what it is for, and which blanks it has."""
        begins, _, _ = self.template.partition("#}")
        return " ".join(begins.removeprefix("{#-").removeprefix("{#").rstrip(" -").split())

    def fill(self, **values: Any) -> str:
        """The prompt with its blanks filled; raises UsageError for a blank that nobody fills."""
        from jinja2 import TemplateError

        try:
            return str(_compiled(self.template).render(**values)).strip()
        except TemplateError as error:
            raise UsageError(f"the prompt '{self.name}' cannot be filled: {error}") from error


def use(folder: Path | None) -> None:
    """Take templates from `folder` where it has them; None: ours alone.

    Raises UsageError when it is no folder, or holds a template that we do not have.
    """
    global _own
    if folder is not None:
        if not folder.is_dir():
            raise UsageError(f"the prompt folder {folder} is not there", "silvr prompts eject DIR")
        strange = sorted({path.stem for path in folder.glob("*.md")} - set(names()))
        if strange:
            raise UsageError(
                f"{folder / strange[0]}.md replaces no prompt", f"known: {', '.join(names())}"
            )
    _own = folder
    load.cache_clear()


@lru_cache
def load(name: str) -> Prompt:
    """The template <name>.md; raises UsageError when there is none."""
    mine = _own / f"{name}.md" if _own else None
    if mine and mine.is_file():
        return Prompt(name, _own_text(mine))
    if name not in names():
        raise UsageError(f"no prompt is called '{name}'", f"known: {', '.join(names())}")
    return Prompt(name, files("silvr_prompts").joinpath(f"{name}.md").read_text("utf-8"))


def _own_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"the prompt {path} is not UTF-8", "save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"the prompt {path} cannot be read: {error.strerror}") from error


@lru_cache
def names() -> tuple[str, ...]:
    found = (item.name for item in files("silvr_prompts").iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in found if name.endswith(".md")))


def fenced(text: str) -> str:
    """Text of a video between delimiters that it cannot close."""
    harmless = text.replace(CLOSE, "</ recording>").replace(OPEN, "< recording>")
    return f"{OPEN}\n{harmless}\n{CLOSE}"


@lru_cache
def _compiled(template: str) -> Any:
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, autoescape=False).from_string(template)
