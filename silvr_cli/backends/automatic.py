"""What `auto` finds beyond the embedded default, and why; asks servers, loads no model.

Order: the server that the settings name, a reachable Ollama, an API key that is set.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import SilvrError

if TYPE_CHECKING:
    from ..settings import Settings

PORT = 11434
CONNECT_SECONDS = 0.4
# Services whose `auto` model also sees; a key of theirs in the environment is a wish to use them.
KEYED = (
    ("OPENAI_API_KEY", "openai", True),
    ("GEMINI_API_KEY", "gemini", True),
    ("DEEPSEEK_API_KEY", "deepseek", False),
)

# Names of models that embed, rank or hear: a server's list does not tell what a model can do.
NO_CHAT = re.compile(
    r"embed|rerank|minilm|mpnet|whisper|(?:^|[-_/])(?:bge|e5|gte)[-_]", re.IGNORECASE
)


def found(role: str, settings: Settings) -> tuple[str, str]:
    """(spec, reason) for the role llm or vision; two empty strings when there is nothing."""
    base_url = settings.servers.base_url
    if base_url:
        return _on_server(base_url, settings.calls.timeout)
    host = settings.servers.ollama or os.environ.get("OLLAMA_HOST") or ""
    for name, seen, where in _ollama_models(host):
        if role == "llm" or seen:
            return f"ollama/{name}", f"Ollama answers at {where}"
    for variable, provider, sees in KEYED:
        if os.environ.get(variable) and (role == "llm" or sees):
            from .openai_api import PRESETS

            return f"{provider}/{PRESETS[provider].default}", f"{variable} is set"
    return "", ""


@lru_cache
def _on_server(base_url: str, timeout: float) -> tuple[str, str]:
    """The first model that seems to chat on the configured server; raises ModelError when it is
    away.
    """
    from .openai_api import Endpoint

    with closing(Endpoint("openai", base_url, timeout)) as endpoint:
        names = [model.id for model in endpoint.models() if chats(model.id)]
    return (f"openai/{names[0]}", f"{base_url} is configured") if names else ("", "")


@lru_cache
def _ollama_models(host: str) -> tuple[tuple[str, bool, str], ...]:
    """(name, whether it sees, where) of a reachable server's chat models, the largest first."""
    parts = urlsplit(host if "//" in host else f"//{host or '127.0.0.1'}")
    name = "127.0.0.1" if parts.hostname in (None, "0.0.0.0") else parts.hostname
    port = parts.port or PORT
    if not listens(name, port):
        return ()
    from .ollama import OllamaServer

    server = OllamaServer(host or None, 5.0)
    try:
        sized = [(server.card(model), model, size) for model, size in server.sizes()]
    except SilvrError:
        # A server that answers, but not as Ollama does, is none.
        return ()
    finally:
        server.close()
    chats = [(size, model, card) for card, model, size in sized if not card.only_embeds]
    chats.sort(key=lambda item: (-item[0], item[1]))
    at = f"{name}:{port}"
    return tuple((model, "vision" in card.capabilities, at) for _, model, card in chats)


def chats(name: str) -> bool:
    """Whether a model seems to answer in words, by its name."""
    return not NO_CHAT.search(name)


def listens(host: str, port: int) -> bool:
    """Whether something takes connections there, asked for less than half a second."""
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
