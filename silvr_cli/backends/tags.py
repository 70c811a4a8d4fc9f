"""The words that a tagger chooses among: the packaged list, or the user's own file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ..errors import UsageError


def read_vocabulary(path: Path | None = None) -> tuple[str, ...]:
    """One word or phrase a line, in order, once each; blank lines and lines from # on do not count.

    None is the packaged list. Raises UsageError when the file cannot be read or holds no words.
    """
    try:
        file = path.expanduser() if path else files(__package__).joinpath("tags.txt")
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"the vocabulary {path} cannot be read: {reason}") from error
    words = (line.partition("#")[0].strip() for line in lines)
    vocabulary = tuple(dict.fromkeys(filter(None, words)))
    if not vocabulary:
        raise UsageError(f"the vocabulary {path} holds no words", "write one word a line")
    return vocabulary
