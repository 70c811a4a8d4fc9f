"""`silvr timeline`: the language stage alone, in any format."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from . import options
from .options import OUTPUT

Format = Literal["text", "json", "srt", "vtt", "md"]


def timeline(
    video: options.VideoPlace = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="How to print it.", rich_help_panel=OUTPUT)
    ] = "text",
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    clip_length: options.ClipLength = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    reader: options.Reader = None,
    embed: options.Embed = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    language: options.Language = None,
    scenes: options.ScenesMethod = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    dry_run: options.DryRun = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = None,
) -> None:
    """Print what is said, shown and read in a video, line by line with times."""
    from .. import exports, pipeline
    from ..errors import UsageError
    from . import display

    if not (video or captions or subtitles):
        raise UsageError("nothing to describe", "silvr timeline VIDEO, or --captions, --subtitles")
    loaded = options.chosen(locals(), models__embed=embed)
    source = options.source(video, captions, subtitles, clip_length, "timeline", output)
    with options.session(loaded.settings, quiet) as session:
        described = pipeline.describe(source, session)
    display.deliver(exports.write(described.timeline, format), output)
