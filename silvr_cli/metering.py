"""What calls to models cost, and when to stop: limits, patience with busy servers, a circuit.

`Meter` counts for a whole run; `Guard` stands in front of one model. Knows no provider: a model
says that it may be asked again by raising Refused.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .errors import LimitReached, ModelError, Refused, SettingsError, UsageError
from .protocols import SAMPLE_RATE, Message, Reply, Request
from .records import Line, Usage
from .settings import Calls

if TYPE_CHECKING:
    from .protocols import Embedder, Samples, SpeechModel, TextModel, Vectors, VisionModel

Result = TypeVar("Result")
Record = Callable[[str, str, str, Usage], None]
Model = TypeVar("Model", bound="TextModel | VisionModel")

MILLION = 1e6
# A picture of 768 pixels, by the providers' own arithmetic, at most.
IMAGE_TOKENS = 1600
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
# Providers that run on the user's own machine cost nothing.
OWN = frozenset(
    {
        *("llamacpp", "ollama", "vllm", "lmstudio", "llama-server", "openclip", "rapidocr"),
        *("whisper", "openai-whisper", "embedded", "subtitles", "none", "fake"),
    }
)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars: per million tokens read and written, per minute of sound heard."""

    prompt: float = 0.0
    completion: float = 0.0
    minute: float = 0.0

    def of(self, usage: Usage, minutes: float = 0.0) -> float:
        tokens = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        return tokens / MILLION + minutes * self.minute


@dataclass(frozen=True, slots=True)
class Known:
    """What is published of a hosted model: its price and its context length in tokens."""

    price: Price | None
    context_length: int | None


class Prices:
    """The table of hosted models; a user's file adds to it and overrides it."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self.tables = tables

    @classmethod
    def load(cls, own: Path | None = None) -> Prices:
        """Our table with the user's own on top; raises SettingsError for a file that is wrong."""
        tables = _toml(files("silvr_cli").joinpath("hosted.toml").read_text("utf-8"), "hosted.toml")
        if own:
            try:
                text = own.expanduser().read_text("utf-8")
            except OSError as error:
                raise SettingsError(f"the price file {own} cannot be read: {error}") from error
            tables |= _toml(text, str(own))
        return cls(tables)

    def known(self, spec: str) -> Known:
        """What is known of `provider/model`; a dated or finer name takes its family's entry."""
        if spec.partition("/")[0] in OWN:
            return Known(Price(), None)
        name = max((n for n in self.tables if _names(n, spec)), key=len, default="")
        if not name:
            return Known(None, None)
        table = self.tables[name]
        price = Price(table.get("input", 0.0), table.get("output", 0.0), table.get("minute", 0.0))
        return Known(price, table.get("context"))


def _names(name: str, spec: str) -> bool:
    return spec == name or spec.startswith((name + "-", name + ":", name + "@"))


def _toml(text: str, where: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except ValueError as error:
        raise SettingsError(f"the price file {where} is not TOML: {error}") from error
    for name, table in tables.items():
        numbers = isinstance(table, dict) and all(
            isinstance(value, (int, float)) and value >= 0 for value in table.values()
        )
        if not numbers:
            raise SettingsError(
                f"the price file {where} is wrong at '{name}'",
                '["provider/model"] with input, output, minute, context as numbers',
            )
    return tables


class Meter:
    """Counts calls and dollars over a run; safe to share between threads.

    Limits hold before they are passed: a call reserves the most that it may cost.
    """

    def __init__(
        self, settings: Calls, record: Record | None = None, prices: Prices | None = None
    ) -> None:
        self.settings, self.record = settings, record
        self.prices = prices or Prices.load(settings.prices)
        self.spent = Usage()
        # Set when the run is being stopped: nobody waits for a busy server any more.
        self.stopping = threading.Event()
        self._reserved = 0.0
        self._lock = threading.Lock()

    def price(self, spec: str) -> Price:
        """The model's price; raises UsageError when a cost limit needs it and nobody knows it."""
        price = self.prices.known(spec).price
        if price is None and self.settings.max_cost is not None:
            raise UsageError(
                f"--max-cost cannot be kept: no price is known for {spec}",
                "name a file with its price: --set calls.prices=FILE",
            )
        return price or Price()

    def expected(
        self, spec: str, calls: int, prompt: int = 0, completion: int = 0, minutes: float = 0.0
    ) -> Usage:
        """An estimate with its price, where that is known."""
        usage = Usage(calls, prompt, completion)
        return replace(usage, cost=(self.prices.known(spec).price or Price()).of(usage, minutes))

    @contextmanager
    def reserved(self, cost: float) -> Iterator[None]:
        """Hold back `cost` dollars and one call; raises LimitReached when they are not there."""
        with self._lock:
            check_limits(self.settings, self.spent, self._reserved, cost)
            self._reserved += cost
            self.spent = added(self.spent, Usage(1))
        try:
            yield
        finally:
            with self._lock:
                self._reserved -= cost

    def settle(self, video: str, stage: str, model: str, usage: Usage) -> None:
        """Count and record what a call came to."""
        with self._lock:
            # The call itself was counted when it was reserved.
            self.spent = added(self.spent, replace(usage, calls=0))
        if self.record:
            self.record(video, stage, model, usage)


def check_limits(settings: Calls, spent: Usage, reserved: float, cost: float) -> None:
    """Raise LimitReached when one more call, of at most `cost` dollars, would pass a limit."""
    calls, money = settings.max_calls, settings.max_cost
    if calls is not None and spent.calls >= calls:
        raise LimitReached(
            f"--max-calls {calls} is reached", "raise it and run again: all work is kept"
        )
    if money is not None and spent.cost + reserved + cost > money:
        raise LimitReached(
            f"--max-cost {money:g} would be passed: ${spent.cost:.4f} are spent in "
            f"{spent.calls} calls and the next may cost ${cost:.4f}",
            "raise it and run again: all work is kept",
        )


class Guard:
    """Stands in front of one model: as many calls at once as it takes, patience, and a circuit."""

    def __init__(self, meter: Meter, video: str, stage: str, model: str, slots: int) -> None:
        self.meter, self.video, self.stage, self.model = meter, video, stage, model
        self.slots = slots if slots == 1 else meter.settings.slots or slots
        self.price = meter.price(model)
        self._gate = threading.BoundedSemaphore(self.slots)
        self._refused = 0

    def call(
        self,
        send: Callable[[], Result],
        guess: Usage,
        usage: Callable[[Result], Usage],
        minutes: float = 0.0,
    ) -> Result:
        """`send()`, again and again while the server is busy; what it cost is recorded.

        Raises LimitReached, Refused when patience ends, ModelError when the circuit is open.
        """

        def once() -> Result:
            with self.meter.reserved(self.price.of(guess, minutes)):
                started = time.monotonic()
                result = send()
                seconds = time.monotonic() - started
                cost = self.price.of(usage(result), minutes)
                spent = replace(usage(result), calls=1, cost=cost, seconds=seconds)
                self.meter.settle(self.video, self.stage, self.model, spent)
                return result

        with self._gate:
            self._check()
            try:
                result = patiently(self.meter, once)
            except Refused:
                self._refused += 1
                raise
            self._refused = 0
            return result

    def _check(self) -> None:
        if self._refused >= self.meter.settings.refusals:
            raise ModelError(
                f"{self.model} refused {self._refused} calls in a row: {self.stage} is stopped",
                "try again later: what is finished is kept",
            )


def patiently(meter: Meter, call: Callable[[], Result]) -> Result:
    """`call()`, again and again while it raises Refused, until the settings' patience ends."""
    import tenacity

    jitter = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, Refused) else None
        return jitter(state) if asked is None else min(asked, LONGEST_WAIT)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Refused),
        stop=tenacity.stop_after_attempt(meter.settings.retries + 1)
        | tenacity.stop_when_event_set(meter.stopping),
        wait=wait,
        sleep=tenacity.sleep_using_event(meter.stopping),
        reraise=True,
    )
    return retrying(call)


def reached(model: object, meter: Meter) -> None:
    """See whether a model on a server can be asked at all, before hours of work that need it.

    Its key, its package, the server, and where that tells, the model; a busy server is waited for.
    Raises ModelError, BackendMissing.
    """
    reach: Callable[[], object] | None = getattr(model, "reach", None)
    if reach is not None:
        patiently(meter, reach)


def guarded(model: Model, meter: Meter, video: str, stage: str) -> Model:
    """The same model behind a Guard: a text or vision model whose calls are metered."""
    guard = Guard(meter, video, stage, model.name, model.slots)
    return cast("Model", _Guarded(model, guard))


def guarded_speech(model: SpeechModel, meter: Meter, video: str) -> SpeechModel:
    """The same model behind a Guard; one on the user's own machine is left as it is."""
    if model.name.partition("/")[0] in OWN:
        return model
    guard = Guard(meter, video, "speech", model.name, model.slots)
    return cast("SpeechModel", _GuardedSpeech(model, guard))


def guarded_embedder(model: Embedder, meter: Meter, video: str) -> Embedder:
    """The same model behind a Guard; one in this process is left as it is."""
    if not getattr(model, "on_a_server", False):
        return model
    guard = Guard(meter, video, "embeddings", model.name, model.slots)
    return cast("Embedder", _GuardedEmbedder(model, guard))


class _Guarded:
    """Passes everything on to the model but for the calls that cost something."""

    def __init__(self, model: Any, guard: Guard) -> None:
        self._model, self._guard, self.slots = model, guard, guard.slots

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        return self._call(lambda: self._model.chat(messages, request), messages, request)

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        message = Message("user", prompt, tuple(images))
        return self._call(lambda: self._model.describe(images, prompt, request), [message], request)

    def _call(
        self, send: Callable[[], Reply], messages: Sequence[Message], request: Request
    ) -> Reply:
        reply = self._guard.call(send, guess(messages, request.max_tokens), lambda r: r.usage)
        return replace(reply, usage=replace(reply.usage, cost=self._guard.price.of(reply.usage)))


class _GuardedSpeech:
    def __init__(self, model: SpeechModel, guard: Guard) -> None:
        self._model, self._guard, self.slots = model, guard, guard.slots

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        minutes = len(sound) / SAMPLE_RATE / 60
        return self._guard.call(
            lambda: self._model.transcribe(sound, language), Usage(1), lambda _: Usage(1), minutes
        )


class _GuardedEmbedder:
    def __init__(self, model: Any, guard: Guard) -> None:
        self._model, self._guard, self.slots = model, guard, guard.slots

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        def through(send: Callable[[], Any], part: Sequence[str]) -> Any:
            size = sum(len(text.encode("utf-8")) for text in part)
            return self._guard.call(send, Usage(1, size // 2), lambda sent: Usage(1, sent.tokens))

        rows: Vectors = self._model.embed(texts, query=query, through=through)
        return rows


def guess(messages: Sequence[Message], max_tokens: int) -> Usage:
    """The most that a call can come to, in tokens, by the bytes of its prompt."""
    size = sum(len(message.content.encode("utf-8")) for message in messages)
    images = sum(len(message.images) for message in messages)
    return Usage(1, size // 2 + IMAGE_TOKENS * images, max_tokens)


def added(one: Usage, more: Usage) -> Usage:
    """Both together."""
    return Usage(
        one.calls + more.calls,
        one.prompt_tokens + more.prompt_tokens,
        one.completion_tokens + more.completion_tokens,
        one.seconds + more.seconds,
        one.cost + more.cost,
    )
