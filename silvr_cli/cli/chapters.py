"""`silvr chapters`: where the parts of a video begin and what they are called, in any format."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import SilvrError, UsageError
from . import options
from .options import OUTPUT, WORK

if TYPE_CHECKING:
    from ..records import Chapter
    from ..session import Session

Format = Literal["text", "youtube", "json", "ffmetadata", "vtt", "md"]


def chapters(
    video: options.VideoPlace = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="How to print them.", rich_help_panel=OUTPUT)
    ] = "text",
    embed: Annotated[
        Path | None,
        typer.Option(
            "--embed",
            help="Also write them into a copy of the video, without re-encoding.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            help="Your own boundaries: 0:00,1:05,12:30; only titles are made.",
            rich_help_panel=WORK,
        ),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Keep the chapters in the file; --at adds to them.", rich_help_panel=WORK
        ),
    ] = False,
    count: Annotated[
        int | None, typer.Option("--count", help="So many; else by length.", rich_help_panel=WORK)
    ] = None,
    min_length: Annotated[
        float | None,
        typer.Option("--min-length", help="Seconds of the shortest.", rich_help_panel=WORK),
    ] = None,
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
    """Divide a video into chapters with titles.

    silvr chapters talk.mp4 --format youtube

    silvr chapters talk.mp4 --embed talk-with-chapters.mp4
    """
    from .. import pipeline
    from ..exports.outline import write_chapters
    from ..intake import taken
    from ..media.remux import check_target
    from . import display

    loaded = options.chosen(locals(), chapters__count=count, chapters__min_length=min_length)
    source = options.source(video, captions, subtitles, clip_length, "chapters", output)
    # A list, or several of them.
    times = ",".join(at) if at else None
    given = pipeline.Given(_times(times), keep)
    _agree(times, count, min_length, format, json)
    if embed and video is None:
        raise UsageError("--embed needs a video to copy", "silvr chapters VIDEO --embed FILE")
    if embed and output and embed.resolve() == output.resolve():
        raise UsageError(f"--embed and -o both name {output}", "name another file for one of them")
    with options.session(loaded.settings, quiet) as session, ExitStack() as held:
        # Held until the end, so that what is fetched for the chapters is there to be copied.
        original = held.enter_context(taken(video, session)).original if embed and video else None
        if embed and original:
            check_target(original.path(), embed)
        with closing(pipeline.open_text_model(session)) as model:
            # Chapters of the file's own with titles of their own need no model.
            needed = () if keep else (model, pipeline.open_embedder(session))
            described = pipeline.describe(source, session, *needed)
            found = pipeline.chapters(described, session, given, model)
        failed = _embed(original.path(), embed, found, session) if embed and original else None
        if not at:
            _fewer(found, session)
        if format == "youtube":
            _warn(found, session)
    shown = write_chapters(found, described.timeline.video, "json" if json else format)
    display.deliver(shown, output)
    if failed:
        raise failed


def _agree(
    at: str | None, count: int | None, min_length: float | None, format: Format, json: bool
) -> None:
    """Raises UsageError for options of which one would be ignored."""
    beside = {"--count": count, "--min-length": min_length}
    extra = [name for name, value in beside.items() if value is not None]
    if at is not None and extra:
        raise UsageError(f"--at and {extra[0]} contradict each other", "leave one of them out")
    options.one_format(format, json)


def _times(text: str | None) -> tuple[float, ...]:
    from ..timeline import parse_clock

    if text is None:
        return ()
    try:
        return tuple(parse_clock(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--at {text}: {error}", "write --at 0:00,1:05,12:30") from error


def _embed(
    video: Path, target: Path, found: tuple[Chapter, ...], session: Session
) -> SilvrError | None:
    """Why there is no copy, to be raised when the chapters, which cost much more, are printed."""
    from ..media.remux import embed_chapters

    try:
        for note in embed_chapters(video, target, found):
            session.tell(note)
    except SilvrError as error:
        return error
    return None


def _fewer(found: tuple[Chapter, ...], session: Session) -> None:
    from ..stages.chapters import shortest

    settings = session.settings.chapters
    if settings.count and len(found) < settings.count:
        least = shortest(found[-1].end, settings)
        session.tell(
            f"{settings.count} chapters were asked for and {len(found)} are made: each begins where"
            f" something changes and lasts {least:g} seconds or more (--min-length)"
        )


def _warn(found: tuple[Chapter, ...], session: Session) -> None:
    from ..exports.youtube import refused

    reasons = refused(found)
    if reasons:
        session.tell(f"YouTube would show no chapters: {'; '.join(reasons)}")
