"""Text that any file, screen or JSON can hold: names of files are bytes, and need not be UTF-8."""

from __future__ import annotations


def legible(text: str) -> str:
    r"""The text with what is not UTF-8 in it written out: the byte FF becomes \udcff."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
