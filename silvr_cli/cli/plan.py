"""`silvr plan`: what a run would do, before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options


def plan(
    video: Annotated[Path, typer.Argument(help="A video or sound file.")],
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    llm: options.Llm = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    reader: options.Reader = None,
    language: options.Language = None,
    scenes: options.ScenesMethod = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    json: options.Json = False,
) -> None:
    """Print each stage's state (cached, partial, to run, failed) and model; run nothing."""
    from .. import pipeline
    from . import display

    loaded = options.settings_from(
        set_,
        models__llm=llm,
        models__speech=speech,
        models__vision=vision,
        models__reader=reader,
        speech__language=language,
        scenes__method=scenes,
        cache__path=cache,
    )
    with options.session(loaded.settings, quiet=True) as session:
        rows = pipeline.plan(pipeline.Source(video, captions, subtitles), session)
    if json:
        display.document(rows)
        return
    display.table(
        ("stage", "state", "model", "pieces", "note"),
        [(r.name, r.state, r.model.partition("@")[0], r.pieces or "", r.error) for r in rows],
    )
