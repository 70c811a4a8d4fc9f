"""Writes help.md from the commands themselves, so that the docs say what `--help` says.

Run by `make docs`; tests/test_docs.py holds the file in step.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from silvr_cli.cli.app import app

HELP = Path(__file__).with_name("help.md")
OPENING = "# Commands\n\nMade by `make docs` from the program itself; do not edit.\n"
VALUES = {str: "TEXT", Path: "FILE", int: "NUMBER", float: "NUMBER", bool: ""}


def render() -> str:
    """The whole of help.md."""
    found = list(commands(app, "silvr"))
    contents = [f"- [{path}](#{path.replace(' ', '-')})" for path, _ in found]
    return "\n".join([OPENING, *contents, "", *(section(path, run) for path, run in found)])


def commands(group: typer.Typer, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command, with its full name, in the order of `--help`."""
    for command in group.registered_commands:
        if command.callback and not command.hidden:
            name = command.name or command.callback.__name__.replace("_", "-")
            yield f"{path} {name}", command.callback
    for below in group.registered_groups:
        if below.typer_instance:
            yield from commands(below.typer_instance, f"{path} {below.name}")


def section(path: str, run: Callable[..., Any]) -> str:
    parameters = inspect.signature(run, eval_str=True).parameters.values()
    arguments = [argument(p) for p in parameters if isinstance(declared(p), ArgumentInfo)]
    options = [row(p) for p in parameters if isinstance(declared(p), OptionInfo)]
    usage = " ".join([path, *arguments, *(["[OPTIONS]"] if options else [])])
    lines = [f"## {path}", "", f"    {usage}", "", inspect.getdoc(run) or "", ""]
    if options:
        lines += ["| option | meaning |", "|---|---|", *options, ""]
    return "\n".join(lines)


def declared(parameter: inspect.Parameter) -> Any:
    """What `Annotated` says of it: an ArgumentInfo or an OptionInfo."""
    return get_args(parameter.annotation)[1]


def argument(parameter: inspect.Parameter) -> str:
    name = declared(parameter).metavar or parameter.name.upper()
    required = parameter.default is inspect.Parameter.empty or name.startswith("[")
    return name if required else f"[{name}]"


def row(parameter: inspect.Parameter) -> str:
    info = declared(parameter)
    # In `Annotated`, typer takes the first spelling for its default.
    given = [n for n in (info.default, *(info.param_decls or ())) if isinstance(n, str)]
    names = ", ".join(given or [f"--{parameter.name.replace('_', '-')}"])
    value = info.metavar or value_of(get_args(parameter.annotation)[0])
    meaning = " ".join((info.help or "").split())
    return f"| `{f'{names} {value}'.strip()}` | {meaning} |"


def value_of(kind: Any) -> str:
    """How a value of this type is written: TEXT, FILE, NUMBER, or the words to choose from."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if get_origin(kind) is list:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "\\|".join(str(each.value) for each in kind)
    if get_origin(kind) is Literal:
        return "\\|".join(get_args(kind))
    return VALUES[kind]


if __name__ == "__main__":
    HELP.write_text(render(), encoding="utf-8")
