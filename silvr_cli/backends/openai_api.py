"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, LM Studio, Gemini, OpenRouter …

Always streamed, so that a slow answer shows signs of life and a cut one is noticed. What a server
does not know (a schema, a seed) is left out after its first complaint.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..errors import BackendMissing, ContextOverflow, ModelError, Refused, UnknownModel
from ..protocols import Message, Reply, Request
from ..records import Usage
from .hosted import Scale, chat_message, check_whole, redacted, retry_after, secret

BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
OVERFLOW = ("context length", "context_length", "context size", "exceed_context", "too long")
# What a server says of a model that it does not have, in the words of vLLM, DeepSeek, OpenRouter,
# LiteLLM and others.
UNKNOWN = re.compile(
    r"model\b.{0,80}?\b(?:not (?:found|exist)|does not exist|unknown|unsupported)|not a valid model"
    r"|model_not_found|\b(?:no such|unknown|unsupported|invalid) model\b(?!\s+param)",
    re.DOTALL | re.IGNORECASE,
)
# Room for the word that tells whether a server takes a name; some take no less.
TRIED_TOKENS = 16
REACH_SECONDS = 10.0
# What may be left out when a server complains, and the words it complains in.
OPTIONAL = (
    ("response_format", ("response_format", "json_schema", "grammar", "schema", "structured")),
    ("stream_options", ("stream_options", "include_usage")),
    ("temperature", ("temperature",)),
    ("seed", ("seed",)),
    ("max_completion_tokens", ("max_completion_tokens",)),
    ("max_tokens", ("max_tokens",)),
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A service by name: where it is, which variable holds its key, the model `auto` takes."""

    base_url: str
    key: str | None = None
    default: str = ""
    slots: int = 8


PRESETS = {
    "openai": Preset("https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-5-mini", 16),
    "gemini": Preset(
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "gemini-2.5-flash",
    ),
    "deepseek": Preset("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "deepseek-chat"),
    "openrouter": Preset("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": Preset("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral": Preset("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "together": Preset("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "vllm": Preset("http://127.0.0.1:8000/v1", None, "", 32),
    "lmstudio": Preset("http://127.0.0.1:1234/v1", None, "", 1),
    "llama-server": Preset("http://127.0.0.1:8080/v1", None, "", 1),
}


class Endpoint:
    """One server: its address, its key and the client, made when first used."""

    def __init__(self, provider: str, base_url: str | None = None, timeout: float = 120.0) -> None:
        self.preset = PRESETS[provider]
        self.provider, self.timeout = provider, timeout
        self.own_server = bool(base_url)
        self.base_url = (base_url or self.preset.base_url).rstrip("/")
        self._client: Any = None
        self._lock = threading.Lock()

    @property
    def key(self) -> str | None:
        return secret(self.preset.key) if self.preset.key else None

    def client(self) -> Any:
        """The openai client; raises BackendMissing, or ModelError when the key is missing."""
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def reach(self) -> frozenset[str]:
        """The models that a server of the user's own lists, if it does; services with a key are
        not asked. Raises BackendMissing, ModelError when the key is missing or refused, Refused
        when the server is away.
        """
        client = self.client()
        if not self.own_server and self.preset.key:
            return frozenset()
        import openai

        try:
            listed = client.with_options(timeout=min(self.timeout, REACH_SECONDS)).models.list()
            return frozenset(str(model.id) for model in listed)
        except openai.APITimeoutError:
            return frozenset()  # slow is not away
        except openai.AuthenticationError as error:
            raise self._for_status(error, self.provider) from None
        except openai.APIConnectionError:
            raise Refused(
                f"{self.provider}: {self.base_url} cannot be reached",
                "is the server running? silvr doctor tries it",
            ) from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, KeyError):
            return frozenset()  # it answers; not every server lists its models

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _made(self) -> Any:
        try:
            import openai
        except ImportError as error:
            raise BackendMissing(
                "the package openai is missing", "pip install 'silvr[openai]'"
            ) from error
        key = self.key
        if self.preset.key and not key and not self.own_server:
            raise ModelError(
                f"{self.provider} needs a key and {self.preset.key} is not set",
                f"export {self.preset.key}=…, or keep it in the keyring: "
                f"keyring set silvr {self.preset.key}",
            )
        # Retries are the Guard's, so that all providers are patient in the same way.
        return openai.OpenAI(
            api_key=key or "none", base_url=self.base_url, timeout=self.timeout, max_retries=0
        )

    @contextmanager
    def told(self, name: str) -> Iterator[None]:
        """Turns the client's errors into ours, without the key."""
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise self._for_status(error, name) from None
        except openai.APIConnectionError as error:
            late = isinstance(error, openai.APITimeoutError)
            why = f"gave no sign of life for {self.timeout:g} s" if late else "cannot be reached"
            raise Refused(
                f"{name}: {self.base_url} {why}", "is the server running? silvr doctor tries it"
            ) from None
        except openai.APIError as error:
            raise Refused(f"{name}: {self._clean(error.message)}") from None
        except OSError as error:
            raise Refused(f"{name}: the reply broke off ({self._clean(error)})") from None
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise Refused(f"{name} does not speak the protocol: {self._clean(error)}") from None
        except Exception as error:
            # The client lets its HTTP library's own errors through when a stream breaks.
            if not _of_http(error):
                raise
            raise Refused(f"{name}: the reply broke off ({self._clean(error)})") from None

    def models(self) -> list[Any]:
        """What the server offers, as its own records; raises ModelError."""
        client = self.client()
        with self.told(self.provider):
            return list(client.models.list())

    def unknown(self, message: str) -> UnknownModel:
        hint = f"silvr models list --remote shows what {self.provider} offers"
        return UnknownModel(message, hint)

    def _for_status(self, error: Any, name: str) -> Exception:
        said, status = self._clean(_complaint(error)), error.status_code
        lowered = said.lower()
        if status in (400, 413, 422) and any(word in lowered for word in OVERFLOW):
            return ContextOverflow(f"{name}: {said}", "lower --budget")
        if status in (401, 403):
            key = self.preset.key or "the key"
            return ModelError(f"{self.provider} refuses {key}: {said}", f"check {key}")
        if status == 404:
            return self.unknown(f"{name}: {said}")
        if status in BUSY and "insufficient_quota" not in lowered:
            wait = retry_after(error.response.headers.get("retry-after"))
            return Refused(f"{name} is busy ({status}): {said}", "try again later", wait)
        return ModelError(f"{name} refused the call ({status}): {said}")

    def _clean(self, text: object) -> str:
        return redacted(text, self.key)


class OpenAiApi:
    """A TextModel and VisionModel on an OpenAI-compatible server."""

    prefers_words, reading_budget = False, None

    def __init__(self, endpoint: Endpoint, model: str, context_length: int | None = None) -> None:
        self.endpoint, self.model = endpoint, model
        self.name = f"{endpoint.provider}/{model}"
        self.slots = endpoint.preset.slots
        self._known_length = context_length
        self._asked_length: int | None = None
        self._scale = Scale()
        self._without: frozenset[str] = frozenset()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.endpoint.base_url}"

    @property
    def context_length(self) -> int:
        """Tokens: from our table, else as the server tells, else a modest guess."""
        if self._known_length is None and self._asked_length is None:
            self._asked_length = self._ask_length()
        return self._known_length or self._asked_length or 8192

    def count(self, texts: Sequence[str]) -> list[int]:
        return [self._scale.count(text) for text in texts]

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        return self.chat([Message("user", prompt, tuple(images))], request)

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        client = self.endpoint.client()
        while True:
            body, left_out = self._body(messages, request), self._without
            try:
                with self.endpoint.told(self.name):
                    reply = self._streamed(client, body, request)
                break
            except ContextOverflow:
                raise
            except ModelError as error:
                if isinstance(error, Refused) or not self._leave_out(error, body, left_out):
                    raise
        check_whole(messages, reply.usage.prompt_tokens, self.name)
        self._scale.learn(messages, reply.usage.prompt_tokens)
        return reply if reply.usage.prompt_tokens else self._estimated(reply, messages)

    def reach(self) -> None:
        """Raises what the endpoint's does, and UnknownModel."""
        listed = self.endpoint.reach()
        if not listed or self.model in listed:
            return
        tried = OpenAiApi(self.endpoint, self.model, self._known_length)
        try:
            # Some servers take any name: a word tells whether this one does. What the other model
            # learns of the server while it tries is not kept.
            tried.chat([Message("user", "Hi")], Request(TRIED_TOKENS))
        except UnknownModel:
            raise
        except ModelError as error:
            # Whatever else it complains of is told where it matters.
            if not isinstance(error, Refused) and UNKNOWN.search(error.message):
                raise self.endpoint.unknown(error.message) from None

    def close(self) -> None:
        self.endpoint.close()

    def _estimated(self, reply: Reply, messages: Sequence[Message]) -> Reply:
        out = self._scale.count(reply.text + reply.reasoning)
        return replace(reply, usage=Usage(1, self._scale.of(messages), out))

    def _body(self, messages: Sequence[Message], request: Request) -> dict[str, Any]:
        # OpenAI's own reasoning models know only the newer name, most other servers the older.
        newer = self.endpoint.provider == "openai" and not self.endpoint.own_server
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [chat_message(message) for message in messages],
            "max_completion_tokens" if newer else "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if request.schema and "response_format" in self._without:
            wanted = f"Reply with JSON alone, by this schema: {json.dumps(request.schema)}"
            body["messages"][-1] = chat_message(_adding(messages[-1], wanted))
        elif request.schema:
            schema = {"name": "reply", "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {key: value for key, value in body.items() if key not in self._without}

    def _leave_out(self, error: ModelError, body: dict[str, Any], before: frozenset[str]) -> bool:
        """Whether the complaint is about something that the call can do without."""
        if self._without != before:
            return True  # another thread has learned meanwhile
        said = str(error).lower()
        if "(400)" not in said and "(422)" not in said:
            return False
        for key, words in OPTIONAL:
            if key in body and any(word in said for word in words):
                self._without |= {key}
                return True
        return False

    def _streamed(self, client: Any, body: dict[str, Any], request: Request) -> Reply:
        gathered = _Gathered(request.on_text or (lambda text: None))
        for chunk in client.chat.completions.create(**body):
            gathered.take(chunk)
        return gathered.reply(self.name)

    def _ask_length(self) -> int | None:
        try:
            found = [m for m in self.endpoint.models() if m.id == self.model]
        except ModelError:
            return None
        extra = (found[0].model_extra or {}) if found else {}
        meta = extra.get("meta") or {}
        lengths = (extra.get("max_model_len"), extra.get("context_length"), meta.get("n_ctx"))
        given = (*lengths, meta.get("n_ctx_train"))
        return next((int(length) for length in given if length), None)


class _Gathered:
    """Collects the chunks of a streamed reply."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self.on_text = on_text
        self.text, self.reasoning, self.usage = "", "", Usage(1)
        self.finish: str | None = None

    def take(self, chunk: Any) -> None:
        if chunk.usage:
            self.usage = Usage(
                1, chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0
            )
        for choice in chunk.choices or ():
            extra = choice.delta.model_extra or {}
            thought = extra.get("reasoning_content") or extra.get("reasoning") or ""
            text = choice.delta.content or ""
            self.text += text
            self.reasoning += thought
            if thought or text:
                self.on_text(thought or text)
            self.finish = choice.finish_reason or self.finish

    def reply(self, name: str) -> Reply:
        if self.finish is None:
            raise Refused(f"{name}: the reply broke off after {len(self.text)} characters")
        ended: Literal["stop", "length"] = "length" if self.finish == "length" else "stop"
        return Reply(self.text, self.reasoning, self.usage, ended)


def _adding(message: Message, text: str) -> Message:
    return replace(message, content=f"{message.content}\n\n{text}")


def _complaint(error: Any) -> str:
    """What the server said, from the forms that servers use."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            parts = [inner.get("message"), inner.get("code") or inner.get("type")]
            return " ".join(str(part) for part in parts if part)
        return str(inner)
    return str(body or error.message)


def _of_http(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")
