"""`silvr cache`: what has been worked out already, and how to let go of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    from ..cache.store import Store

app = typer.Typer(help="What silvr has already worked out.", no_args_is_help=True)


@app.command()
def info(cache: options.CacheFile = None, json: options.Json = False) -> None:
    """Print where the cache is, how large, and how much it holds."""
    from ..cache.upkeep import counts
    from .display import document, table

    with _opened(cache) as store:
        found = counts(store)
    if json:
        document(found)
        return
    table(("what", "value"), list(found.items()))


@app.command("ls")
def list_videos(cache: options.CacheFile = None, json: options.Json = False) -> None:
    """List the videos that the cache knows, the latest first."""
    from ..cache.upkeep import videos
    from .display import document, table

    with _opened(cache) as store:
        rows = videos(store)
    if json:
        document(rows)
        return
    table(
        ("id", "name", "seconds", "stages", "lines", "answers", "used"),
        [
            (
                v["id"][:19],
                v["name"],
                round(v["duration"]),
                v["stages"],
                v["lines"],
                v["answers"],
                v["used"],
            )
            for v in rows
        ],
    )


@app.command("rm")
def remove(
    video: Annotated[
        str | None, typer.Argument(help="A video's file, name or the beginning of its id.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget every video.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    cache: options.CacheFile = None,
) -> None:
    """Forget a video: its stages, lines and answers."""
    from ..cache.upkeep import forget, matching
    from ..errors import UsageError
    from .display import tell

    if bool(video) == everything:
        raise UsageError("one video or --all is needed", "silvr cache ls lists the videos")
    with _opened(cache) as store:
        ids = matching(store, None if everything else video)
        if not yes:
            options.confirmed(f"Forget {len(ids)} video(s) and their answers?")
        forget(store, ids)
    tell(f"{len(ids)} video(s) forgotten")


@app.command()
def gc(
    keep_days: Annotated[
        float, typer.Option("--keep-days", min=0, help="Keep unfinished work this young.")
    ] = 7.0,
    missing: Annotated[
        bool, typer.Option("--missing", help="Also forget videos whose files are gone.")
    ] = False,
    cache: options.CacheFile = None,
) -> None:
    """Drop failed, abandoned and superseded work, and give the space back."""
    from ..cache.upkeep import collect
    from ..remote.spool import tidy
    from ..settings import spool_path
    from .display import tell

    with _opened(cache) as store:
        dropped = collect(store, keep_days, missing)
    spool = spool_path(options.settings_from(cache__path=cache).settings)
    if spool.is_dir():
        tidy(spool, keep_days)
    tell(", ".join(f"{count} {what}" for what, count in dropped.items()) + " dropped")


def _opened(cache: Path | None) -> Store:
    from ..cache.store import Store
    from ..settings import cache_path

    return Store.open(cache_path(options.settings_from(cache__path=cache).settings))
