"""Loads, fills and hashes the prompt templates in prompts/ (the package silvr_prompts)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

OPEN, CLOSE = "<recording>", "</recording>"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template and the short hash that tells its versions apart."""

    name: str
    template: str

    @property
    def sha(self) -> str:
        return hashlib.sha256(self.template.encode("utf-8")).hexdigest()[:12]

    def fill(self, **values: Any) -> str:
        """The prompt with its blanks filled; an unfilled blank raises jinja2.UndefinedError."""
        return str(_compiled(self.template).render(**values)).strip()


@lru_cache
def load(name: str) -> Prompt:
    """The template prompts/<name>.md, without its opening comment."""
    return Prompt(name, files("silvr_prompts").joinpath(f"{name}.md").read_text("utf-8"))


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
