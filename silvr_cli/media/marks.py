"""How a subtitle cue says what kind of line it is: `[screen] words`; speech carries no mark.

Shared by those who write such cues and those who read them; knows no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from ..records import KIND_NAMES, Kind, Line

MARK = re.compile(rf"\[({'|'.join(KIND_NAMES)})\] ")


def marked(line: Line) -> str:
    """The line's text as a cue tells it."""
    # Speech that begins like a mark is marked itself, or it would read back as another kind.
    if line.kind == "speech" and not MARK.match(line.text):
        return line.text
    return f"[{line.kind}] {line.text}"


def unmarked(lines: Iterable[Line], otherwise: Kind) -> tuple[Line, ...]:
    """Cues as lines of the kinds that their marks tell; `otherwise` those without a mark."""
    return tuple(_unmarked(line, otherwise) for line in lines)


def _unmarked(line: Line, otherwise: Kind) -> Line:
    mark = MARK.match(line.text)
    if not mark:
        return replace(line, kind=otherwise)
    return replace(line, kind=cast(Kind, mark[1]), text=line.text[mark.end() :])
