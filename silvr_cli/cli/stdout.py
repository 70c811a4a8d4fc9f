"""Standard output that remembers why it could not be written, so that this is told and no bug."""

from __future__ import annotations

import io
import os
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


def occupy() -> None:
    """Open what the caller closed of the three standard files, with nothing behind it.

    Else the next file that is opened, perhaps the cache, would get what libraries write there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, which is this one.
            os.open(os.devnull, os.O_RDWR)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            below = io.FileIO(number, "r" if name == "stdin" else "w", closefd=False)
            buffered = io.BufferedReader(below) if name == "stdin" else io.BufferedWriter(below)
            setattr(sys, name, io.TextIOWrapper(buffered, encoding="utf-8"))


def watch() -> Stdout | None:
    """Put a Stdout below sys.stdout, unless that is a terminal, which is never full."""
    if sys.stdout.isatty():
        return None
    below = Stdout()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(below), encoding=sys.stdout.encoding, errors=sys.stdout.errors
    )
    return below
