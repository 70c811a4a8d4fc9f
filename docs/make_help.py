"""Writes help.md from the commands themselves, so that the docs say what `--help` says.

Run by `make docs`; tests/test_docs.py holds the file in step.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from silvr_cli.cli.app import app

HELP = Path(__file__).with_name("help.md")
OPENING = """# Commands

Made by `make docs` from the program itself; do not edit.
"""


def render() -> str:
    """The whole of help.md."""
    root = typer.main.get_command(app)
    names = [f"- [`{path}`](#{path.replace(' ', '-')})" for path, _ in commands(root, "silvr")]
    parts = [section(path, command) for path, command in commands(root, "silvr")]
    return "\n".join([OPENING, *names, "", *parts])


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name, in the order of `--help`."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from commands(child, f"{path} {name}")


def section(path: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([path, *(metavar(a) for a in arguments), *(["[OPTIONS]"] if options else [])])
    lines = [f"## {path}", "", f"    {usage}", "", inspect.cleandoc(command.help or ""), ""]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{spelling(o)}` | {cell(o.help or '')} |" for o in options]
        lines.append("")
    return "\n".join(lines)


def metavar(argument: Any) -> str:
    name = argument.metavar or argument.name.upper() + ("..." if argument.nargs != 1 else "")
    return name if argument.required or name.startswith("[") else f"[{name}]"


def spelling(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else option.metavar or option.type.name.upper()
    return f"{names} {value}".strip()


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    HELP.write_text(render(), encoding="utf-8")
