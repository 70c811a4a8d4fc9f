"""`silvr highlights`: the most telling spans of a video, without a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .options import OUTPUT

if TYPE_CHECKING:
    from ..media.excerpts import Excerpt


def highlights(
    video: options.VideoPlace = None,
    top: Annotated[
        int | None,
        typer.Option("--top", help="Show at most so many.", rich_help_panel=OUTPUT),
    ] = None,
    clip_out: options.ClipOut = None,
    exact: options.Exact = False,
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    clip_length: options.ClipLength = None,
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
    """Show the most telling spans of a video, with scores; 0.5 is an average sentence of it.

    silvr highlights talk.mp4 --top 3 --clip-out clips
    """
    from .. import pipeline
    from ..exports import moments
    from . import display

    loaded = options.chosen(
        locals(), highlights__top=top, models__embed="fake" if dry_run else embed
    )
    source = options.source(video, captions, subtitles, clip_length, "highlights", output)
    with options.session(loaded.settings, quiet) as session:
        described = pipeline.describe(source, session, pipeline.open_embedder(session))
        found = pipeline.highlights(described, session)
        clips: tuple[Excerpt, ...] = ()
        if clip_out and found:
            clips = pipeline.cut_out(described, found, clip_out, exact, session)
    if not found and not quiet:
        display.tell("nothing in the video is told in words")
    if json:
        told = moments.highlights_document(described.timeline.video, found, clips)
        text = display.as_json(told)
    else:
        text = moments.as_text(found, clips)
    display.deliver(text, output)
