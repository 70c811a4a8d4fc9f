"""Paths as the cache holds them: as text, or as bytes where the file's name is no UTF-8."""

from __future__ import annotations

import os
from pathlib import Path


def stored(path: Path) -> str | bytes:
    """The absolute path, as a value for SQLite, which takes no text but UTF-8."""
    text = str(path.absolute())
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def read(value: str | bytes) -> Path:
    """The path that `stored` made the value of."""
    return Path(os.fsdecode(value))
