"""What each provider can do beyond its roles, for the docs; docs/backends.md is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class About:
    """What a provider can do beyond its roles, for the docs; `extra` is what has to be installed.

    `tokens` says how prompts are counted.
    """

    what: str
    extra: str = ""
    key: str = ""
    schema: bool = False
    streams: bool = False
    thinks: bool = False
    tokens: str = ""
    also: str = ""


_SERVER: dict[str, Any] = {"extra": "openai", "schema": True, "streams": True, "thinks": True}
_ESTIMATED = "high estimate, learned; checked against the server's count"


def about() -> Mapping[str, About]:
    """Every provider, in the order of the docs."""
    from .openai_api import PRESETS

    services = {
        name: About(f"`{preset.base_url}`", key=preset.key or "", tokens=_ESTIMATED, **_SERVER)
        for name, preset in PRESETS.items()
    }
    local: dict[str, Any] = {"schema": True, "streams": True, "thinks": True}
    return {
        "llamacpp": About(
            "a GGUF file, in process",
            tokens="exact",
            also="grammar, likelihoods; pictures with `models.mmproj`",
            **local,
        ),
        "ollama": About("an Ollama server", "ollama", tokens=_ESTIMATED, **local),
        **services,
        "whisper": About("faster-whisper, in process", also="word times, batched mode"),
        "openai-whisper": About("OpenAI's package, in process", "whisper"),
        "openclip": About("open_clip, in process", "openclip", also="tags; pictures and texts"),
        "minilm": About("all-MiniLM-L6-v2, in process", also="texts only"),
        "mpnet": About("all-mpnet-base-v2, in process", also="texts only"),
        "rapidocr": About("RapidOCR, in process"),
        "fake": About("answers nothing: tests and --dry-run", streams=True, schema=True),
    }
