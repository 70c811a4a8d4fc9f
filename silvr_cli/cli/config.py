"""`silvr config`: the effective settings and where each comes from."""

from __future__ import annotations

from .options import Json, Set, settings_from


def config(set_: Set = None, json: Json = False) -> None:
    """Print the effective settings with their origin.

    Order, strongest first: flags, SILVR_<SECTION>_<KEY> in the environment, ./silvr.toml, the
    user's own file, defaults.
    """
    from ..configuration import flatten, user_file
    from ..settings import cache_path, weights_path
    from .display import document, table, tell

    loaded = settings_from(set_)
    values = flatten(loaded.settings)
    shown = {
        "cache.path": str(cache_path(loaded.settings)),
        "weights.path": str(weights_path(loaded.settings)),
    }
    rows = [
        (key, shown.get(key, value), loaded.origins.get(key, "default"))
        for key, value in values.items()
    ]
    if json:
        document({key: {"value": value, "origin": origin} for key, value, origin in rows})
        return
    table(("setting", "value", "origin"), rows)
    tell(f"your own file: {user_file()}")
