"""What stages ask of models, of stored pieces and of a progress display; no implementation here.

Images cross as JPEG bytes or as `uint8[height, width, 3]` RGB arrays, sound as
`float32[samples]` mono at 16,000 Hz, embeddings as `float32[n, d]` of unit length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Samples = NDArray[np.float32]
    Vectors = NDArray[np.float32]

from .records import Line, Usage

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat; `images` are JPEG bytes shown before the text."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """How a reply is to be made. `schema` is a JSON schema that the reply must satisfy.

    `grammar` (GBNF), `forced`, the text that the reply is to be, and `likeliest`, how many of the
    first token's candidates to tell, are for models that say so in the table of backends; others
    leave them out. `on_text` is called with each piece of text as it arrives (reasoning included).
    """

    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0
    schema: dict[str, Any] | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    forced: str | None = None
    likeliest: int = 0
    on_text: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's reply; `reasoning` is its separate thinking text; `finish` is stop or length.

    `first` holds (token, log probability) of the first token's candidates, the likeliest first,
    before any grammar. `likelihood` is the log probability of all of the reply, likewise. Both
    are told only by models that know how, when one of `likeliest` and `forced` is asked for.
    """

    text: str
    reasoning: str = ""
    usage: Usage = Usage()
    finish: Literal["stop", "length"] = "stop"
    first: tuple[tuple[str, float], ...] = ()
    likelihood: float | None = None


class Model(Protocol):
    """Common to every model: a name as the user writes it, and what identifies its weights."""

    @property
    def name(self) -> str: ...

    @property
    def slots(self) -> int:
        """How many calls it takes at once."""
        ...

    def fingerprint(self) -> str:
        """Changes when the provider, model or weights change; cheap, loads nothing."""
        ...


class TextModel(Model, Protocol):
    """A chat model over text.

    `reading_budget` is how many tokens of timeline it reads well (None: its whole context);
    `prefers_words` says that it picks options better in words than by letter.
    """

    @property
    def context_length(self) -> int: ...

    @property
    def reading_budget(self) -> int | None: ...

    @property
    def prefers_words(self) -> bool: ...

    def count(self, texts: Sequence[str]) -> Sequence[int]:
        """Tokens in each of `texts`, by the model's own tokenizer."""
        ...

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        """Reply to `messages`; raises ContextOverflow rather than cut the prompt."""
        ...

    def close(self) -> None:
        """Give back memory and threads; a closed model may be used again."""
        ...


class VisionModel(Model, Protocol):
    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        """Answer `prompt` about `images` (JPEG, in order of time)."""
        ...

    def close(self) -> None:
        """Give back memory, threads and connections; a closed model may be used again."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of sound in which somebody seems to speak, in seconds from the sound's start."""

    start: float
    end: float


class SpeechModel(Model, Protocol):
    def windows(self, sound: Samples) -> Sequence[Window]:
        """Where there is speech, cut at silences into stretches that the model takes at once."""
        ...

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        """Utterances of one window, kind `speech`, times from the window's start."""
        ...

    def detect_language(self, sound: Samples) -> str | None:
        """The ISO 639-1 code of the language that is spoken; None: each window tells its own."""
        ...


@dataclass(frozen=True, slots=True)
class TextBox:
    """A piece of text on a picture: `left, top, right, bottom` as shares (0-1) of its sides."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


class TextReader(Model, Protocol):
    def read(self, image: Image) -> Sequence[TextBox]:
        """Text in reading order."""
        ...


class Tagger(Model, Protocol):
    def tags(
        self, images: Sequence[bytes], vocabulary: Sequence[str], most: int = 5
    ) -> list[list[tuple[str, float]]]:
        """For each image (JPEG), at most `most` words of `vocabulary`, the likeliest first.

        The scores of one image are shares (0-1) that add up to 1 over the whole vocabulary.
        """
        ...


class Embedder(Model, Protocol):
    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """One row of unit length for each text: `float32[len(texts), d]`, d the model's own.

        `query` for texts that look for others: some models are trained to tell the two apart.
        """
        ...

    def close(self) -> None:
        """Give back memory; a closed model may be used again."""
        ...


class ImageEmbedder(Embedder, Protocol):
    """Embeds pictures beside texts: the product of two rows says how well they go together."""

    def embed_images(self, images: Sequence[bytes]) -> Vectors:
        """One row of unit length for each image (JPEG): `float32[len(images), d]`, d as `embed`."""
        ...


class Work(Protocol):
    """A stage's desk: the pieces it has finished, how far it is, and what the user should know."""

    def get(self, key: str) -> Any | None:
        """The JSON value stored for this stage under `key`, or None."""
        ...

    def put(self, key: str, value: Any) -> None:
        """Store a finished piece in its own transaction: it survives a kill."""
        ...

    def report(self, done: float, total: float) -> None:
        """Show progress, in the stage's own units."""
        ...

    def note(self, message: str) -> None:
        """Tell the user one thing about this input; kept with the stage's result."""
        ...


class Progress(Protocol):
    """Told how far something named is; both numbers are in its own units."""

    def __call__(self, name: str, done: float, total: float, /) -> None: ...
