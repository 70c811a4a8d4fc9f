"""The command line as a whole: registers the commands and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from .. import interrupt
from ..errors import SilvrError, UsageError
from . import (
    ask,
    batch,
    cache,
    chapters,
    chat,
    config,
    doctor,
    eval,
    events,
    find,
    highlights,
    models,
    plan,
    prompts,
    search,
    show,
    stdout,
    summarize,
    timeline,
)
from .display import tell

INTERRUPTED = 130

app = typer.Typer(
    name="silvr",
    help="Ask questions about long videos. Start with: silvr ask VIDEO 'QUESTION'",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("ask")(ask.ask)
app.command("chat")(chat.chat)
app.command("chapters")(chapters.chapters)
app.command("summarize")(summarize.summarize)
app.command("timeline")(timeline.timeline)
app.command("search")(search.search)
app.command("find")(find.find)
app.command("highlights")(highlights.highlights)
app.command("events")(events.events)
app.command("batch")(batch.batch)
app.command("plan")(plan.plan)
app.command("show")(show.show)
app.command("config")(config.config)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")
app.add_typer(prompts.app, name="prompts")
app.add_typer(eval.app, name="eval")


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"silvr {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask questions about long videos. Start with: silvr ask VIDEO 'QUESTION'"""


def main() -> NoReturn:
    """Run silvr and leave with the exit code of DESIGN section 8; expected failures are a sentence.

    Only a bug shows a traceback.
    """
    interrupt.listen()
    stdout.occupy()
    below = stdout.watch()
    try:
        code = app(standalone_mode=False) or 0
    except SilvrError as error:
        tell(f"silvr: {error}")
        code = error.exit_code
    except TyperException as error:
        tell(f"silvr: {_usage(error)}")
        code = UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except (OSError, SystemExit):
        # Typer itself exits when a pipe is left; what other files refuse is a SilvrError.
        if not (below and below.refused):
            raise
        code = 0
    if code == INTERRUPTED:
        tell("silvr: interrupted; everything finished so far is kept")
    with suppress(OSError):
        sys.stdout.flush()
    if below and below.refused:
        code = code or _unwritten(below.refused)
    _leave(code)


def _unwritten(error: OSError) -> int:
    """The exit code when not all was written: whoever reads a pipe may leave it at any time."""
    if isinstance(error, BrokenPipeError):
        return 0
    tell(f"silvr: stdout cannot be written: {error.strerror} (make room there, or use -o FILE)")
    return UsageError.exit_code


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "silvr"
    # A group alone prints its help and has nothing to complain of but that.
    said = error.format_message().rstrip(".") or f"{command} needs a command"
    return f"{said} ({command} --help shows what it takes)"


def _leave(code: int) -> NoReturn:
    """End at once: a model's worker threads would hold the interpreter back for seconds."""
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
