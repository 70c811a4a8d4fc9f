"""Standard output that remembers why it could not be written, so that this is told and no bug."""

from __future__ import annotations

import io
import sys
from typing import Any


class Stdout(io.FileIO):
    """What lies below sys.stdout; `refused` is the first error of a write."""

    def __init__(self) -> None:
        super().__init__(1, "w", closefd=False)
        self.refused: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.refused = self.refused or error
            raise


def watch() -> Stdout | None:
    """Put a Stdout below sys.stdout, unless that is a terminal, which is never full, or closed."""
    if sys.stdout is None or sys.stdout.isatty():
        return None
    below = Stdout()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(below), encoding=sys.stdout.encoding, errors=sys.stdout.errors
    )
    return below
