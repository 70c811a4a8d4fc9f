"""`silvr summarize`: a video in short, every point with its time."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Literal

import typer

from . import options
from .options import OUTPUT, WORK

Style = Literal["tldr", "bullets", "detailed", "minutes"]
Format = Literal["text", "md", "json"]


def summarize(
    video: options.VideoPlace = None,
    style: Annotated[
        Style | None,
        typer.Option("--style", "-s", help="What kind of summary; default: bullets."),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option("--points", help="So many bullets; else by length.", rich_help_panel=WORK),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="How to print it.", rich_help_panel=OUTPUT)
    ] = "text",
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    clip_length: options.ClipLength = None,
    llm: options.Llm = None,
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
    """Tell a video in short: tldr, bullets, detailed (by chapters) or minutes (with tasks).

    silvr summarize meeting.mp4 --style minutes --format md
    """
    from .. import pipeline
    from ..exports.outline import write_summary
    from . import display

    options.one_format(format, json)
    loaded = options.chosen(locals(), summary__style=style, summary__points=points)
    source = options.source(video, captions, subtitles, clip_length, "summarize", output)
    with options.session(loaded.settings, quiet) as session:
        with closing(pipeline.open_text_model(session)) as model:
            described = pipeline.describe(source, session, model, pipeline.open_embedder(session))
            summary = pipeline.summarize(described, session, model)
        for note in summary.notes:
            session.tell(note)
    video_told = described.timeline.video
    display.deliver(write_summary(summary, video_told, "json" if json else format), output)
