"""`silvr prompts`: the templates that models are asked with, to read and to change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options

app = typer.Typer(help="Prompt templates: list, show, eject.", no_args_is_help=True)


@app.command("list")
def list_prompts(json: options.Json = False) -> None:
    """List the prompts, what each is for, and the hash that goes into keys and records."""
    from .. import prompts
    from .display import document, table

    prompts.use(options.settings_from().settings.prompts.path)
    rows = [(p.name, p.sha, p.about) for p in map(prompts.load, prompts.names())]
    if json:
        document([{"name": name, "sha": sha, "about": about} for name, sha, about in rows])
    else:
        table(("name", "hash", "about"), rows)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Which prompt.")]) -> None:
    """Print a prompt as it is in use."""
    from .. import prompts
    from .display import result

    prompts.use(options.settings_from().settings.prompts.path)
    result(prompts.load(name).template)


@app.command()
def eject(
    folder: Annotated[Path, typer.Argument(help="Where to; files that are there stay.")],
) -> None:
    """Copy the prompts to a folder of yours, to change them: --set prompts.path=FOLDER."""
    from .. import prompts
    from ..errors import UsageError
    from .display import tell, write_atomically

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}", "name another") from error
    for name in prompts.names():
        path = folder / f"{name}.md"
        if not path.exists():
            write_atomically(path, prompts.load(name).template)
            tell(f"{path}")
    tell(f"use them: --set prompts.path={folder}, or SILVR_PROMPTS={folder}")
