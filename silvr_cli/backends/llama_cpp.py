"""A GGUF file in this process: llama.cpp through xllamacpp, whose server listens on loopback only.

Nothing is cut silently: the context grows to what a prompt needs, up to the model's own length.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import cores
from ..errors import ContextOverflow, ModelError
from ..protocols import Message, Reply, Request
from ..records import Usage
from .hosted import chat_message
from .openmp import llama

FIRST_CONTEXT = 4096
# What a chat template adds to a message, in tokens, with room to spare.
TEMPLATE_TOKENS = 64
BATCH_CHARACTERS = 100_000
# Prompts that were read before are kept in so much memory, some thirty short ones. llama.cpp's own
# 8 GiB fill up in a batch of some hundred questions, and are more than many a laptop has.
KEPT_MIB = 512
# From here on a file holds about 4 billion parameters in four bits.
LARGE_BYTES = 2_200_000_000
# A picture of 768 pixels at most, for the projectors in use.
IMAGE_TOKENS = 1600


class LlamaCpp:
    """A TextModel; `path` is asked for when the first text comes."""

    slots = 1

    def __init__(
        self,
        name: str,
        digest: str,
        path: Callable[[], Path],
        context_length: int | None = None,
        reading_budget: int | None = None,
        mmproj: Path | None = None,
        verbose: bool = False,
    ) -> None:
        self.name, self.digest, self._path = name, digest, path
        self._known_length, self.reading_budget = context_length, reading_budget
        self._mmproj, self._verbosity = mmproj, 3 if verbose else -1
        self._server: Any = None
        self._context = 0
        self._lock = threading.RLock()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.digest}"

    @property
    def prefers_words(self) -> bool:
        """Small models answer better in words, larger ones step by step (docs/lab-log.md)."""
        return self._path().stat().st_size < LARGE_BYTES

    @property
    def context_length(self) -> int:
        """Tokens: from the catalogue, else what the file says that it was trained for."""
        if self._known_length is None:
            found = self._get("/v1/models")["data"][0]["meta"]["n_ctx_train"]
            self._known_length = int(found)
        return self._known_length

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        if self._mmproj is None:
            raise ModelError(
                f"{self.name} cannot see pictures",
                "--set models.mmproj=FILE names the projector that came with the model",
            )
        return self.chat([Message("user", prompt, tuple(images))], request)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens in each text; texts are sent together, which costs as much as one long one."""
        counts: list[int] = []
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if sum(map(len, batch)) > BATCH_CHARACTERS:
                counts += self._count(batch)
                batch = []
        return counts + self._count(batch)

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        with self._lock:
            request = self._forced(request) if request.forced else request
            needed = self._tokens(messages) + request.max_tokens
            if needed > self.context_length:
                raise ContextOverflow(
                    f"{self.name} reads {self.context_length} tokens at most, the prompt and the "
                    f"room for its answer need {needed}",
                    "lower --budget",
                )
            server = self._loaded(needed)
            started = time.monotonic()
            if request.on_text:
                reply = self._streamed(server, messages, request)
            else:
                reply = _whole(server.handle_chat_completions(_body(messages, request)), self.name)
            return _timed(reply, time.monotonic() - started)

    def close(self) -> None:
        with self._lock:
            self._server, self._context = None, 0

    def _tokens(self, messages: Sequence[Message]) -> int:
        pictures = sum(len(message.images) for message in messages)
        overhead = TEMPLATE_TOKENS * (len(messages) + 1) + IMAGE_TOKENS * pictures
        # A token is at least one byte: short prompts need no counting.
        size = sum(len(message.content.encode("utf-8")) for message in messages)
        if size + overhead <= FIRST_CONTEXT // 2:
            return size + overhead
        return sum(self.count([message.content for message in messages])) + overhead

    def _count(self, texts: Sequence[str]) -> list[int]:
        """Tokens a text, from one tokenization of all: a token belongs where it begins."""
        if not texts:
            return []
        tokens = self._tokenized("\n".join(texts))
        counts, index, left = [0] * len(texts), 0, len(texts[0].encode("utf-8")) + 1
        for token in tokens:
            while left <= 0 and index + 1 < len(texts):
                index += 1
                left += len(texts[index].encode("utf-8")) + 1
            counts[index] += 1
            piece = token["piece"]
            left -= len(piece.encode("utf-8")) if isinstance(piece, str) else len(piece)
        return counts

    def _forced(self, request: Request) -> Request:
        """With a grammar that names each token: letters would fall into tokens nobody writes."""
        ids = [token["id"] for token in self._tokenized(request.forced or "")]
        grammar = "root ::= " + " ".join(f"<[{number}]>" for number in ids)
        return replace(request, max_tokens=len(ids), likeliest=1, on_text=None, grammar=grammar)

    def _tokenized(self, text: str) -> Any:
        body = {"content": text, "with_pieces": True, "parse_special": False}
        return self._post("/tokenize", body)["tokens"]

    def _get(self, route: str) -> Any:
        return self._ask(route, None)

    def _post(self, route: str, body: dict[str, Any]) -> Any:
        return self._ask(route, json.dumps(body).encode("utf-8"))

    def _ask(self, route: str, data: bytes | None) -> Any:
        with self._lock:
            address = self._loaded(FIRST_CONTEXT).listening_address
        request = urllib.request.Request(
            address + route, data=data, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)
        except OSError as error:
            raise ModelError(f"{self.name} does not answer: {error}") from error

    def _streamed(self, server: Any, messages: Sequence[Message], request: Request) -> Reply:
        gathered = _Gathered(self.name, request.on_text or (lambda text: None))
        body = _body(messages, request)
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        server.handle_chat_completions(body, gathered.take)
        return gathered.reply()

    def _loaded(self, context: int) -> Any:
        """The server, with a context of at least so many tokens (a power of two)."""
        if self._server is not None and context <= self._context:
            return self._server
        library = llama()
        self._server = None
        size = FIRST_CONTEXT
        while size < context:
            size *= 2
        if self._known_length:
            size = min(size, max(self._known_length, context))
        params = library.CommonParams()
        params.model.path = str(self._path())
        params.n_ctx, params.n_parallel, params.verbosity = size, 1, self._verbosity
        params.warmup, params.cache_ram_mib = False, KEPT_MIB
        if self._mmproj:
            params.mmproj.path = str(self._mmproj)
        threads = len(cores.ours())
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        try:
            self._server = library.Server(params)
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"{self.name} cannot be loaded: {error}", "is the file a whole GGUF model?"
            ) from error
        self._context = size
        return self._server


def _body(messages: Sequence[Message], request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [chat_message(message) for message in messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "cache_prompt": True,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if request.grammar:
        body["grammar"] = request.grammar
    if request.likeliest:
        body |= {"logprobs": True, "top_logprobs": request.likeliest}
    if request.schema:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": request.schema},
        }
    return body


def _whole(reply: dict[str, Any], name: str) -> Reply:
    _raise_for(reply, name)
    choice = reply["choices"][0]
    message = choice["message"]
    return Reply(
        message.get("content") or "",
        message.get("reasoning_content") or "",
        _usage(reply),
        "length" if choice.get("finish_reason") == "length" else "stop",
        *_likelihoods((choice.get("logprobs") or {}).get("content") or ()),
    )


def _likelihoods(
    tokens: Sequence[dict[str, Any]],
) -> tuple[tuple[tuple[str, float], ...], float | None]:
    """The first token's candidates, and the sum over all tokens; (), None where none are told."""
    if not tokens:
        return (), None
    candidates = tokens[0].get("top_logprobs") or ()
    first = tuple((str(c["token"]), float(c["logprob"])) for c in candidates)
    return first, sum(float(token["logprob"]) for token in tokens)


class _Gathered:
    """Collects the chunks of a streamed reply."""

    def __init__(self, name: str, on_text: Callable[[str], None]) -> None:
        self.name, self.on_text = name, on_text
        self.text, self.reasoning, self.usage, self.finish = "", "", Usage(), "stop"
        self.error: dict[str, Any] | None = None

    def take(self, chunk: dict[str, Any]) -> None:
        if "error" in chunk:
            self.error = chunk
            return
        if chunk.get("usage"):
            self.usage = _usage(chunk)
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta", {})
            text, thought = delta.get("content") or "", delta.get("reasoning_content") or ""
            self.text += text
            self.reasoning += thought
            if text or thought:
                self.on_text(thought or text)
            self.finish = choice.get("finish_reason") or self.finish

    def reply(self) -> Reply:
        if self.error:
            _raise_for(self.error, self.name)
        finish: Any = "length" if self.finish == "length" else "stop"
        return Reply(self.text, self.reasoning, self.usage, finish)


def _raise_for(reply: dict[str, Any], name: str) -> None:
    error = reply.get("error")
    if not error:
        return
    if error.get("type") == "exceed_context_size_error":
        raise ContextOverflow(f"{name}: {error['message']}", "lower --budget")
    raise ModelError(f"{name} failed: {error.get('message', error)}")


def _usage(reply: dict[str, Any]) -> Usage:
    usage = reply.get("usage") or {}
    return Usage(1, int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)))


def _timed(reply: Reply, seconds: float) -> Reply:
    usage = Usage(1, reply.usage.prompt_tokens, reply.usage.completion_tokens, seconds)
    return replace(reply, usage=usage)
