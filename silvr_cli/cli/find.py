"""`silvr find`: the moments of a video that a query is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .options import OUTPUT, WORK

if TYPE_CHECKING:
    from ..media.excerpts import Excerpt


def find(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[VIDEO] QUERY", help="A video file or address, and what to find in it."
        ),
    ],
    top: Annotated[
        int | None,
        typer.Option("--top", help="Show at most so many moments.", rich_help_panel=OUTPUT),
    ] = None,
    read: Annotated[
        bool,
        typer.Option(
            "--read",
            help="Let the language model read the likeliest stretches.",
            rich_help_panel=WORK,
        ),
    ] = False,
    clip_out: options.ClipOut = None,
    exact: options.Exact = False,
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
    """Find the moments where a video says, shows or tells something, the likeliest first.

    silvr find talk.mp4 "how the bridge was paid for" --top 3 --clip-out clips

    silvr find --subtitles talk.srt "thanks to the crew"

    silvr find meeting.mp4 "why they chose rubber" --read
    """
    from .. import pipeline
    from ..exports import moments
    from . import display

    loaded = options.chosen(
        locals(),
        moments__top=top,
        # Nothing else in this command takes a language model.
        reading__find=True if read or llm else None,
        models__embed="fake" if dry_run else embed,
    )
    source, query = options.source_and_question(
        "find", words, captions, subtitles, clip_length, output
    )
    with options.session(loaded.settings, quiet) as session:
        reads = loaded.settings.reading.find
        model = pipeline.open_text_model(session) if reads else None
        described = pipeline.describe(source, session, model, pipeline.open_embedder(session))
        found = pipeline.find(described, query, session, model)
        clips: tuple[Excerpt, ...] = ()
        if clip_out and found:
            clips = pipeline.cut_out(described, found, clip_out, exact, session)
    if not found and not quiet:
        display.tell("nothing in the video has to do with it")
    if json:
        video = described.timeline.video
        text = display.as_json(moments.moments_document(video, query, found, clips))
    else:
        text = moments.as_text(found, clips)
    display.deliver(text, output)
