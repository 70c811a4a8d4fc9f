"""`silvr events`: a video as a list of times, saliences and captions."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options
from .options import WORK


def events(
    video: options.VideoPlace = None,
    length: Annotated[
        float | None,
        typer.Option("--length", help="Seconds an event lasts, about.", rich_help_panel=WORK),
    ] = None,
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    clip_length: options.ClipLength = None,
    llm: options.Llm = None,
    embed: options.Embed = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    reader: options.Reader = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    language: options.Language = None,
    scenes: options.ScenesMethod = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = None,
) -> None:
    """List what happens in a video: time, salience (0-1) and a caption.

    silvr events talk.mp4 --json

    silvr events talk.mp4 --length 60 --llm ollama/qwen3:8b
    """
    from .. import pipeline
    from ..exports import moments
    from . import display

    loaded = options.chosen(
        locals(), events__length=length, models__embed="fake" if dry_run else embed
    )
    source = options.source(video, captions, subtitles, clip_length, "events", output)
    with options.session(loaded.settings, quiet) as session:
        # What `auto` finds no model for, or only a small one, is captioned without.
        method, named = loaded.settings.events.method, loaded.settings.models.llm != "auto"
        asks = method == "model" or (method == "auto" and named)
        model = pipeline.open_text_model(session) if asks else None
        described = pipeline.describe(source, session, model, pipeline.open_embedder(session))
        found = pipeline.events(described, session)
    if json:
        text = display.as_json(moments.events_document(described.timeline.video, found))
    else:
        text = moments.events_text(found)
    display.deliver(text, output)
