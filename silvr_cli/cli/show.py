"""`silvr show`: an answer's record, as it was given."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from . import options
from .options import OUTPUT


def show(
    id: Annotated[  # noqa: A002 - it is the id
        str | None, typer.Argument(help="An answer's id, or its beginning; none lists them.")
    ] = None,
    show: Annotated[
        list[Literal["reasoning", "context"]] | None,
        typer.Option("--show", help="Also print the reasoning or context.", rich_help_panel=OUTPUT),
    ] = None,
    cache: options.CacheFile = None,
    json: options.Json = False,
) -> None:
    """Replay an answer's record: prompts' hashes, models, plan, tokens, seconds."""
    from .. import pipeline

    loaded = options.settings_from(cache__path=cache)
    with options.session(loaded.settings, quiet=True) as session:
        if id is None:
            return _list(pipeline.answers(session), json)
        record = pipeline.record(id, session)
    from . import answer, display

    if json:
        return display.document(answer.as_document(*record.parts))
    display.result(answer.as_text(record.answer, record.context.text, show or ()))
    display.result(answer.provenance(record.answer))
