"""Texts as vectors from a server: Ollama's, or one that speaks OpenAI's embeddings.

`Served` is the Embedder; what it asks is a `Server`, which `gguf_vectors` is, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ContextOverflow, ModelError
from ..inflight import in_flight

if TYPE_CHECKING:
    from ..protocols import Vectors
    from .ollama import OllamaServer
    from .openai_api import Endpoint

# Texts of one request: as many as every usual server takes.
AT_ONCE = 32
# Bytes of a text that are read: of prose less than 512 tokens. MiniLM here reads about 1,000. Where
# a server says that it is too much all the same (digits, tables), half of it is sent, and so on.
LONGEST, SHORTEST = 1500, 100
TOO_LONG = re.compile(
    r"too large to process|too long|too many tokens in|must have less than"
    r"|(?:context|input)[ _]length",
    re.IGNORECASE,
)
# Bytes a token, where a server does not say what it read.
USUAL_BYTES = 4
KEEP_ALIVE = "15m"
# Sentences that have nothing to do with each other, one a line.
UNRELATED = "unrelated.txt"
# What a model was trained to find before a query and before a text, by a part of its name, from the
# models' cards; the first that fits counts. Without it such a model runs, and ranks worse.
_ASKS = "Represent this sentence for searching relevant passages: "
_WEB = (
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
)
TRAINED: tuple[tuple[str, str, str], ...] = (
    ("nomic-embed-text", "search_query: ", "search_document: "),
    ("embeddinggemma", "task: search result | query: ", "title: none | text: "),
    ("qwen3-embedding", _WEB, ""),
    ("e5-large-instruct", _WEB + " ", ""),
    ("e5-mistral", _WEB + " ", ""),
    ("e5-small", "query: ", "passage: "),
    ("e5-base", "query: ", "passage: "),
    ("e5-large", "query: ", "passage: "),
    ("arctic-embed2", "query: ", ""),
    ("arctic-embed-l-v2", "query: ", ""),
    ("arctic-embed-m-v2", "query: ", ""),
    ("arctic-embed", _ASKS, ""),
    ("deepset-mxbai", "query: ", "passage: "),
    ("mxbai-embed", _ASKS, ""),
    ("bge-small-en", _ASKS, ""),
    ("bge-base-en", _ASKS, ""),
    ("bge-large-en", _ASKS, ""),
)


@dataclass(frozen=True, slots=True)
class Before:
    """What stands before a query and before a text."""

    query: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What came back of one request: a row for each text, and the tokens that were read."""

    rows: Sequence[Sequence[float]]
    tokens: int


# Sends one request; given its texts beside it, for whoever counts what it costs.
Send = Callable[[Callable[[], Sent], Sequence[str]], Sent]


def directly(send: Callable[[], Sent], texts: Sequence[str]) -> Sent:
    """The request as it is."""
    del texts
    return send()


class Server(Protocol):
    """One embedding model on a server."""

    name: str
    slots: int
    on_a_server: bool

    def identity(self) -> str:
        """What changes with the model; raises ModelError when only the server knows."""
        ...

    def reach(self) -> None:
        """Raises ModelError when the model cannot be asked at all."""
        ...

    def send(self, texts: Sequence[str]) -> Sent:
        """Raises ModelError; Refused where the same may be sent again."""
        ...

    def close(self) -> None: ...


class Served:
    """An Embedder behind a server: a request takes many texts, several requests run at once.

    Models differ in how alike they find texts that have nothing to do with each other; what all
    vectors have in common is taken away (after Mu and Viswanath, "All-but-the-Top", ICLR 2018), so
    that 0 means so for every model.
    """

    def __init__(self, server: Server) -> None:
        self.server, self.name, self.slots = server, server.name, server.slots
        self.on_a_server = server.on_a_server
        self._before = trained(self.name)
        self._common: dict[str, Vectors] = {}

    def fingerprint(self) -> str:
        before = self._before.text.strip()
        return f"{self.name}@{self.server.identity()}" + (f"+{before}" if before else "")

    def embed(
        self, texts: Sequence[str], *, query: bool = False, through: Send = directly
    ) -> Vectors:
        """As in the protocol; each request goes `through` whoever counts it.

        Raises ModelError, LimitReached.
        """
        import numpy as np

        before = self._before.query if query else self._before.text
        common = self._in_common(before, through)
        if not texts:
            return np.zeros((0, len(common)), np.float32)
        rows = self._asked(texts, before, through)
        if rows.shape[1] != len(common):
            raise ModelError(
                f"{self.name} gave vectors of {rows.shape[1]} numbers after some of {len(common)}"
            )
        return self._unit(rows - common)

    def reach(self) -> None:
        self.server.reach()

    def close(self) -> None:
        self.server.close()

    def _in_common(self, before: str, through: Send) -> Vectors:
        """The mean row of sentences that have nothing to do with each other."""
        if before not in self._common:
            texts = files("silvr_cli.backends").joinpath(UNRELATED).read_text("utf-8").splitlines()
            self._common[before] = self._asked(texts, before, through).mean(axis=0)
        return self._common[before]

    def _asked(self, texts: Sequence[str], before: str, through: Send) -> Vectors:
        """Rows of unit length as the model makes them."""
        import numpy as np

        cut = [_short(text) for text in texts]
        parts = [cut[at : at + AT_ONCE] for at in range(0, len(cut), AT_ONCE)]

        def call(number: int) -> Vectors:
            return self._part(parts[number], before, through)

        rows = dict(in_flight(call, range(len(parts)), self.slots))
        return self._unit(np.vstack([rows[number] for number in range(len(parts))]))

    def _part(self, texts: Sequence[str], before: str, through: Send) -> Vectors:
        """The rows of one request; its texts are cut shorter while they are too long."""
        room = LONGEST
        while True:
            told = [before + text for text in texts]
            try:
                return self._rows(through(partial(self._sent, told), told), len(told))
            except ContextOverflow as error:
                room = min(room, max(len(text.encode("utf-8")) for text in texts)) // 2
                if room < SHORTEST:
                    message = error.message
                    raise ModelError(message, "is it a model for embeddings?") from None
                texts = [_short(text, room) for text in texts]

    def _sent(self, told: Sequence[str]) -> Sent:
        """Raises ContextOverflow, which no patience mends, for texts that are too long."""
        try:
            sent = self.server.send(told)
        except ModelError as error:
            if isinstance(error, ContextOverflow) or TOO_LONG.search(error.message):
                raise ContextOverflow(error.message) from None
            raise
        size = sum(len(text.encode("utf-8")) for text in told)
        return sent if sent.tokens else replace(sent, tokens=max(1, size // USUAL_BYTES))

    def _rows(self, sent: Sent, texts: int) -> Vectors:
        import numpy as np

        try:
            rows = np.asarray(sent.rows, np.float32)
        except (TypeError, ValueError):
            rows = np.zeros((0, 0), np.float32)
        if rows.ndim != 2 or len(rows) != texts or not rows.size:
            raise ModelError(f"{self.name} gave no vector for each of {texts} texts")
        return rows

    def _unit(self, rows: Vectors) -> Vectors:
        import numpy as np

        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise ModelError(f"{self.name} gave a vector without a direction")
        unit: Vectors = (rows / lengths).astype(np.float32)
        return unit


def _short(text: str, room: int = LONGEST) -> str:
    # Some servers refuse a text that is empty.
    return text.encode("utf-8")[:room].decode("utf-8", "ignore").strip() or "-"


def trained(name: str) -> Before:
    """What a model expects before a query and a text, by its name; see TRAINED."""
    low = name.rpartition("/")[2].lower().replace("_", "-")
    return next((Before(*words) for part, *words in TRAINED if part in low), Before("", ""))


class OpenAiVectors:
    """An embedding model behind /v1/embeddings."""

    on_a_server = True

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self.endpoint, self.model = endpoint, model
        self.name = f"{endpoint.provider}/{model}"
        self.slots = min(4, endpoint.preset.slots)

    def identity(self) -> str:
        return self.endpoint.base_url

    def reach(self) -> None:
        self.endpoint.reach()

    def send(self, texts: Sequence[str]) -> Sent:
        client = self.endpoint.client()
        with self.endpoint.told(self.name):
            # Not every server knows the packed form that the client asks for by itself.
            reply = client.embeddings.create(
                model=self.model, input=list(texts), encoding_format="float"
            )
            # A server of Gemini's leaves out the index 0.
            placed = [(row.index or 0, row.embedding) for row in reply.data]
            rows = [row for _, row in sorted(placed, key=lambda pair: pair[0])]
            return Sent(rows, _tokens(reply.usage and reply.usage.prompt_tokens))

    def close(self) -> None:
        self.endpoint.close()


class OllamaVectors:
    """An embedding model on an Ollama server."""

    on_a_server = True

    def __init__(self, server: OllamaServer, model: str) -> None:
        self.server, self.model = server, model
        self.name, self.slots = f"ollama/{model}", server.slots
        self._digest = ""

    def identity(self) -> str:
        if not self._digest:
            self._digest = self.server.card(self.model).digest[:16]
        return self._digest

    def reach(self) -> None:
        self.identity()

    def send(self, texts: Sequence[str]) -> Sent:
        client = self.server.client()
        with self.server.told(self.name):
            reply = client.embed(model=self.model, input=list(texts), keep_alive=KEEP_ALIVE)
            return Sent(reply.embeddings, _tokens(reply.prompt_eval_count))

    def close(self) -> None:
        self.server.close()


def _tokens(reported: Any) -> int:
    return int(reported or 0)
