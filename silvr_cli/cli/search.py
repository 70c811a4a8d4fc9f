"""`silvr search`: words and pictures in all videos that the cache knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .options import OUTPUT

if TYPE_CHECKING:
    from .. import library


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What to look for.")],
    top: Annotated[
        int,
        typer.Option(
            "--top", min=1, help="At most so many lines and pictures.", rich_help_panel=OUTPUT
        ),
    ] = 10,
    embed: options.Embed = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Find words in every video that silvr has read, lines that mean the same, and pictures.

    Words come by BM25. --embed minilm (or SILVR_EMBED) also finds by meaning, and reads each video
    once for it. Pictures need --embed openclip/MODEL, now and when the video was read.

    silvr search "last bus" --top 5

    silvr search "final coach" --embed minilm
    """
    from .. import library
    from . import display

    query = options.question(" ".join(words))
    loaded = options.settings_from(
        set_,
        models__embed=embed,
        servers__base_url=base_url,
        calls__max_cost=max_cost,
        calls__max_calls=max_calls,
        cache__path=options.existing(cache),
    )
    with options.session(loaded.settings, quiet) as session:
        found = library.search(query, top, session)
    if json:
        display.document(library.document(query, found))
        return
    if not found and not quiet:
        display.tell("nothing is found in the videos of the cache (silvr cache ls lists them)")
    display.table(("video", "time", "kind", "by", "score", "text"), [_row(each) for each in found])


def _row(found: library.Found) -> tuple[str, ...]:
    from ..timeline import clock

    score = f"{found.score:.2f}"
    return found.name, clock(found.start), found.kind, found.by, score, found.text
