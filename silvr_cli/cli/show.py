"""`silvr show`: an answer's record, as it was given."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options
from .ask import Shown
from .options import OUTPUT


def show(
    id: Annotated[
        str | None, typer.Argument(help="An answer's id, or its beginning; none lists them.")
    ] = None,
    show: Annotated[
        list[Shown] | None,
        typer.Option("--show", help="Also print the reasoning or context.", rich_help_panel=OUTPUT),
    ] = None,
    cache: options.CacheFile = None,
    json: options.Json = False,
) -> None:
    """Replay an answer's record: prompts' hashes, models, plan, tokens, seconds."""
    from .. import pipeline
    from . import answer, display

    loaded = options.settings_from(cache__path=options.existing(cache))
    with options.session(loaded.settings, quiet=True) as session:
        if id is None:
            rows = session.store.answers()
            if json:
                display.document(rows)
            else:
                display.table(("id", "video", "question", "answer", "given"), rows)
            return
        answered = pipeline.replayed(id, session)
    if json:
        display.document(answer.as_document(answered))
        return
    display.result(
        answer.as_text(answered.answer, answered.context.text, [item.value for item in show or ()])
    )
    display.result("\n" + answer.provenance(answered.answer))
