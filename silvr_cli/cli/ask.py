"""`silvr ask`: a question about a video, answered with evidence."""

from __future__ import annotations

from contextlib import closing
from enum import Enum
from typing import Annotated

import typer

from . import options
from .options import OUTPUT, WORK


class Shown(str, Enum):
    reasoning = "reasoning"
    context = "context"


def ask(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[VIDEO] QUESTION", help="A video file or address, and what to ask of it."
        ),
    ],
    choice: Annotated[
        list[str] | None,
        typer.Option("--choice", "-c", help="A possible answer; repeat for multiple choice."),
    ] = None,
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    clip_length: options.ClipLength = None,
    llm: options.Llm = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    reader: options.Reader = None,
    embed: options.Embed = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    language: options.Language = None,
    scenes: options.ScenesMethod = None,
    reduction: Annotated[
        str | None,
        typer.Option(
            "--reduction", help="auto, all, paper, focus or segments.", rich_help_panel=WORK
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option("--budget", help="Tokens of timeline to read.", rich_help_panel=WORK),
    ] = None,
    vote: Annotated[
        int | None,
        typer.Option(
            "--vote",
            help="Answer so many times, options in whole rounds, and take the most frequent.",
            rich_help_panel=WORK,
        ),
    ] = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    show: Annotated[
        list[Shown] | None,
        typer.Option(
            "--show", help="Also print the reasoning or the exact context.", rich_help_panel=OUTPUT
        ),
    ] = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = None,
) -> None:
    """Answer a question about a video, with the times that the answer rests on.

    silvr ask talk.mp4 "What does the speaker promise?"

    silvr ask --captions caps.txt --subtitles talk.srt "Who is thanked?"
    """
    from .. import pipeline
    from . import answer, display

    choices = options.answers(choice)
    loaded = options.chosen(locals(), models__embed=embed)
    source, question = options.source_and_question(
        "ask", words, captions, subtitles, clip_length, output
    )
    with options.session(loaded.settings, quiet) as session:
        # Named before the video is read: a typo must not cost an hour.
        with closing(pipeline.open_text_model(session)) as model:
            described = pipeline.describe(source, session, model, pipeline.open_embedder(session))
            answered = pipeline.ask(described, question, choices, session, model)
    if json:
        text = display.as_json(answer.as_document(answered))
    else:
        text = answer.as_text(
            answered.answer, answered.context.text, [item.value for item in show or ()]
        )
    display.deliver(text, output)
    if not quiet:
        display.tell(f"record {answered.id}: silvr show {answered.id}")
