"""Models on an Ollama server, through its own client; text and pictures, thinking models too.

Ollama cuts a prompt that is longer than `num_ctx` without a word: so `num_ctx` is set to what the
prompt needs, and the prompt size that the server reports is checked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import BackendMissing, ContextOverflow, ModelError, Refused
from ..protocols import Message, Reply, Request
from ..records import Usage
from .hosted import Scale, check_whole, redacted, retry_after

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
FIRST_CONTEXT = 4096
FALLBACK_LENGTH = 4096
KEEP_ALIVE = "15m"


@dataclass(frozen=True, slots=True)
class Card:
    """What the server says of a model: its weights' digest, its length in tokens, its skills."""

    digest: str
    context_length: int
    capabilities: tuple[str, ...]

    @property
    def only_embeds(self) -> bool:
        return bool(self.capabilities) and "completion" not in self.capabilities


class OllamaServer:
    """One server; the client is made when first used."""

    slots = 2

    def __init__(self, host: str | None = None, timeout: float = 120.0) -> None:
        self.host, self.timeout = host or os.environ.get("OLLAMA_HOST") or None, timeout
        self._client: Any = None
        self._lock = threading.Lock()

    def client(self) -> Any:
        """The ollama client; raises BackendMissing."""
        with self._lock:
            if self._client is None:
                try:
                    import ollama
                except ImportError as error:
                    raise BackendMissing(
                        "the package ollama is missing", "pip install 'silvr[ollama]'"
                    ) from error
                self._client = ollama.Client(self.host, timeout=self.timeout)
            return self._client

    def sizes(self) -> list[tuple[str, int]]:
        """(name, bytes) of the models that the server holds; raises ModelError."""
        client = self.client()
        with self.told("ollama"):
            return sorted((str(m.model), int(m.size or 0)) for m in client.list().models)

    def card(self, model: str) -> Card:
        """Raises ModelError that names the command which gets a missing model."""
        client = self.client()
        with self.told(f"ollama/{model}"):
            shown = client.show(model)
            listed = {str(found.model): found.digest for found in client.list().models}
        info: Mapping[str, Any] = shown.modelinfo or {}
        lengths = [int(v) for k, v in info.items() if k.endswith(".context_length")]
        digest = listed.get(model) or listed.get(f"{model}:latest") or ""
        return Card(
            str(digest), next(iter(lengths), FALLBACK_LENGTH), tuple(shown.capabilities or ())
        )

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    @contextmanager
    def told(self, name: str) -> Iterator[None]:
        """Turns the client's errors into ours."""
        import httpx
        import ollama

        where = self.host or "this machine"
        try:
            yield
        except ollama.ResponseError as error:
            raise self._for_status(error, name) from None
        except httpx.TimeoutException:
            raise Refused(f"{name}: no sign of life from {where} for {self.timeout:g} s") from None
        except (ConnectionError, httpx.ConnectError):
            raise Refused(
                f"{name}: there is no Ollama server at {where}", "start it: ollama serve"
            ) from None
        except (OSError, httpx.HTTPError) as error:
            raise Refused(f"{name}: the reply broke off ({redacted(error)})") from None
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise Refused(f"{name} does not speak the protocol: {redacted(error)}") from None

    def _for_status(self, error: Any, name: str) -> Exception:
        said, status, model = redacted(error.error), error.status_code, name.partition("/")[2]
        if status == 404:
            return ModelError(f"{name}: {said}", f"ollama pull {model}")
        if status in BUSY:
            response = getattr(error.__context__, "response", None)
            wait = retry_after(response.headers.get("retry-after")) if response else None
            return Refused(f"{name} is busy ({status}): {said}", "try again later", wait)
        return ModelError(f"{name} refused the call ({status}): {said}")


class Ollama:
    """A TextModel and VisionModel on an Ollama server."""

    prefers_words, reading_budget = False, None

    def __init__(self, server: OllamaServer, model: str) -> None:
        self.server, self.model, self.name = server, model, f"ollama/{model}"
        self.slots = server.slots
        self._card: Card | None = None
        self._scale = Scale()
        self._num_ctx = 0

    @property
    def card(self) -> Card:
        if self._card is None:
            self._card = self.server.card(self.model)
        return self._card

    def fingerprint(self) -> str:
        return f"{self.name}@{self.card.digest[:16]}"

    @property
    def context_length(self) -> int:
        return self.card.context_length

    def count(self, texts: Sequence[str]) -> list[int]:
        return [self._scale.count(text) for text in texts]

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        if self.card.capabilities and "vision" not in self.card.capabilities:
            raise ModelError(
                f"{self.name} cannot see pictures", "choose a vision model: ollama pull qwen3-vl:8b"
            )
        return self.chat([Message("user", prompt, tuple(images))], request)

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        body = self._body(messages, request)
        client = self.server.client()
        with self.server.told(self.name):
            reply = self._gathered(client.chat(**body), request)
        check_whole(messages, reply.usage.prompt_tokens, self.name)
        size = reply.usage.prompt_tokens + reply.usage.completion_tokens
        if reply.usage.prompt_tokens >= self._num_ctx or size > self._num_ctx:
            raise ContextOverflow(
                f"{self.name} ran over its context of {self._num_ctx} tokens and lost text",
                "lower --budget",
            )
        self._scale.learn(messages, reply.usage.prompt_tokens)
        return reply

    def reach(self) -> None:
        """Raises ModelError when the server is away or does not have the model."""
        self._card = self.server.card(self.model)

    def close(self) -> None:
        self.server.close()

    def _body(self, messages: Sequence[Message], request: Request) -> dict[str, Any]:
        options: dict[str, Any] = {
            "temperature": request.temperature,
            "seed": request.seed,
            "num_predict": request.max_tokens,
            "num_ctx": self._context_for(messages, request),
        }
        if request.stop:
            options["stop"] = list(request.stop)
        return {
            "model": self.model,
            "messages": [_message(message) for message in messages],
            "stream": True,
            "think": True if "thinking" in self.card.capabilities else None,
            "format": request.schema,
            "options": options,
            "keep_alive": KEEP_ALIVE,
        }

    def _context_for(self, messages: Sequence[Message], request: Request) -> int:
        """`num_ctx`: a power of two that holds prompt and reply; it never shrinks (a new value
        makes the server load the model again)."""
        needed = self._scale.of(messages) + request.max_tokens
        if needed > self.context_length:
            raise ContextOverflow(
                f"{self.name} reads {self.context_length} tokens at most, the prompt and the room "
                f"for its answer need {needed}",
                "lower --budget",
            )
        size = max(self._num_ctx, FIRST_CONTEXT)
        while size < needed:
            size *= 2
        self._num_ctx = min(size, self.context_length)
        return self._num_ctx

    def _gathered(self, chunks: Iterator[Any], request: Request) -> Reply:
        text, reasoning = "", ""
        for chunk in chunks:
            said, thought = chunk.message.content or "", chunk.message.thinking or ""
            text += said
            reasoning += thought
            if request.on_text and (said or thought):
                request.on_text(thought or said)
            if chunk.done:
                usage = Usage(1, chunk.prompt_eval_count or 0, chunk.eval_count or 0)
                ended: Literal["stop", "length"] = (
                    "length" if chunk.done_reason == "length" else "stop"
                )
                return Reply(text, reasoning, usage, ended)
        raise Refused(f"{self.name}: the reply broke off after {len(text)} characters")


def _message(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        made["images"] = list(message.images)
    return made
