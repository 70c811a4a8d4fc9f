"""Where settings come from: flags, SILVR_* variables and files merged into Settings.

Order, strongest first: flags > SILVR_<SECTION>_<KEY> (and the short names in SHORT) >
./silvr.toml > the user's file > defaults. Unknown keys and bad values are all reported at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from . import origins
from .errors import SettingsError
from .settings import Settings

SHORT = {
    "SILVR_LLM": "models.llm",
    "SILVR_SPEECH": "models.speech",
    "SILVR_VISION": "models.vision",
    "SILVR_READER": "models.reader",
    "SILVR_EMBED": "models.embed",
    "SILVR_CACHE": "cache.path",
    "SILVR_WEIGHTS": "weights.path",
    "SILVR_OFFLINE": "weights.offline",
    "SILVR_BASE_URL": "servers.base_url",
    "SILVR_PROMPTS": "prompts.path",
}
NOT_SETTINGS = {"SILVR_CONFIG"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The effective settings and, for each `section.key`, where its value comes from."""

    settings: Settings
    origins: Mapping[str, str]


def user_file() -> Path:
    """The user's settings file: $SILVR_CONFIG, else silvr.toml in the config folder."""
    from platformdirs import user_config_path

    return Path(os.environ.get("SILVR_CONFIG") or user_config_path("silvr") / "silvr.toml")


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Merge all sources into Settings; `flags` maps `section.key` to a value (None: not given).

    Raises SettingsError that names every bad key and value at once.
    """
    given: dict[str, tuple[Any, str]] = {}
    problems: list[str] = []
    for path in (user_file(), (folder or Path.cwd()) / "silvr.toml"):
        given.update(origins.from_file(path, problems))
    names = {"SILVR_" + key.replace(".", "_").upper(): key for key in keys()} | SHORT
    variables = os.environ if environ is None else environ
    told = {name: value for name, value in variables.items() if name not in NOT_SETTINGS}
    given.update(origins.from_environ(told, names, problems))
    given.update({k: (v, "flag") for k, v in (flags or {}).items() if v is not None})
    settings = _build(given, problems)
    if problems or settings is None:
        raise SettingsError("bad settings: " + "; ".join(problems), "silvr config lists all keys")
    return Loaded(settings, {key: origin for key, (_, origin) in given.items()})


def keys() -> dict[str, Any]:
    """Every `section.key` with its default."""
    return flatten(Settings())


def flatten(settings: Settings) -> dict[str, Any]:
    """Every `section.key` with its value in `settings`."""
    return {
        f"{section}.{key}": value
        for section, fields in settings.model_dump(mode="json").items()
        for key, value in fields.items()
    }


def _build(given: Mapping[str, tuple[Any, str]], problems: list[str]) -> Settings | None:
    tables: dict[str, Any] = {}
    for key, (value, origin) in given.items():
        section, _, name = key.partition(".")
        if key not in keys():
            problems.append(f"{origin}: {origins.short(key)} is no setting")
        elif "\0" in str(value):
            problems.append(f"{origin}: {key} holds a zero byte")
        else:
            tables.setdefault(section, {})[name] = value
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"][:2])
            origin = given[key][1] if key in given else "settings"
            problems.append(
                f"{origin}: {key} = {origins.short(repr(item['input']))}: {item['msg'].lower()}"
            )
        return None
