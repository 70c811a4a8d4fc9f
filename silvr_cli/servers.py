"""The servers in reach: what each offers, and whether a tiny call to it works."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .backends import SERVICES, automatic, embedder, text_model
from .errors import SilvrError
from .protocols import Message, Request

if TYPE_CHECKING:
    from .settings import Settings


@dataclass(frozen=True, slots=True)
class Offer:
    """One server: its models as `provider/model`, or why it could not tell them."""

    provider: str
    where: str
    models: tuple[str, ...] = ()
    error: str = ""


def offers(settings: Settings) -> Iterator[Offer]:
    """Every server that is configured, has its key set, or runs on this machine."""
    from .backends.openai_api import PRESETS

    host = settings.servers.ollama or os.environ.get("OLLAMA_HOST") or ""
    if host or automatic.listens("127.0.0.1", automatic.PORT):
        yield _ollama(host, settings)
    if settings.servers.base_url:
        yield _service("openai", settings.servers.base_url, settings)
    for provider in SERVICES:
        preset = PRESETS[provider]
        if provider == "openai" and settings.servers.base_url:
            continue
        keyed = preset.key is not None and bool(os.environ.get(preset.key))
        if keyed or (preset.key is None and automatic.listens(*_place(preset.base_url))):
            yield _service(provider, None, settings)


def tried(offer: Offer, settings: Settings) -> tuple[bool, str]:
    """(whether it works, what it said): one reply of a few tokens from the server's first model
    that chats, else a word as a vector.

    A service that has a model for `auto` is asked for that one.
    """
    if offer.error:
        return False, offer.error
    if not offer.models:
        return False, f"{offer.where} offers no model"
    spec = _tiny(offer)
    started = time.monotonic()
    try:
        if not automatic.chats(spec):
            with closing(embedder(spec, settings)) as vectors:
                vectors.embed(["yes"])
            return True, f"{spec} embedded a word in {time.monotonic() - started:.1f} s"
        with closing(text_model(spec, settings)) as model:
            model.chat([Message("user", "Reply with the word yes.")], Request(max_tokens=16))
    except SilvrError as error:
        return False, str(error)
    return True, f"{spec} replied in {time.monotonic() - started:.1f} s"


def _tiny(offer: Offer) -> str:
    from .backends.openai_api import PRESETS

    preset = PRESETS.get(offer.provider)
    wanted = f"{offer.provider}/{preset.default}" if preset else ""
    chats = [spec for spec in offer.models if automatic.chats(spec)]
    return wanted if wanted in offer.models else (chats or offer.models)[0]


def _ollama(host: str, settings: Settings) -> Offer:
    from .backends.ollama import OllamaServer

    where = host or f"127.0.0.1:{automatic.PORT}"
    try:
        with closing(OllamaServer(host or None, settings.calls.timeout)) as server:
            names = server.sizes()
    except SilvrError as error:
        return Offer("ollama", where, (), str(error))
    return Offer("ollama", where, tuple(f"ollama/{name}" for name, _ in names))


def _service(provider: str, base_url: str | None, settings: Settings) -> Offer:
    from .backends.openai_api import Endpoint

    endpoint = Endpoint(provider, base_url, settings.calls.timeout)
    try:
        with closing(endpoint):
            names = sorted(str(model.id) for model in endpoint.models())
    except SilvrError as error:
        return Offer(provider, endpoint.base_url, (), str(error))
    # Gemini's list says models/NAME where its calls take NAME.
    short = (name.removeprefix("models/") for name in names)
    return Offer(provider, endpoint.base_url, tuple(f"{provider}/{name}" for name in short))


def _place(url: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80
