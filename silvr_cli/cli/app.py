"""The command line as a whole: registers the commands and turns errors into exit codes."""

from __future__ import annotations


def main() -> None:
    raise SystemExit("not yet")
