"""Pictures through open_clip: tags and embeddings by any CLIP, captions by a CoCa, else of tags.

Takes JPEG bytes, gives text, shares and vectors. What to ask of a video is not known here, and
torch only in `clip_model`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, ReplyError
from ..protocols import Reply, Request
from ..records import Usage
from .clip_model import ClipModel, Source, load, missing

if TYPE_CHECKING:
    from ..protocols import Vectors

BATCH = 16
# What CoCa was taught to write: a sentence. Its decoder wants room for more than its least.
CAPTION_TOKENS, LEAST_TOKENS = 30, 6
END, START = "<end_of_text>", "<start_of_text>"
TAG_PROMPT = "a photo of {}"
# What tags become where they stand for a caption: seen, never told to be all there is.
SEEN, UNSURE = "seen: ", "nothing certain"


@dataclass(frozen=True, slots=True)
class Tags:
    """The words that a model without a text decoder describes by, and the least share of one."""

    vocabulary: tuple[str, ...] = ()
    share: float = 0.0

    def digest(self) -> str:
        """Changes with the words; empty without any."""
        words = "\n".join(self.vocabulary).encode("utf-8")
        return hashlib.sha256(words).hexdigest()[:8] if words else ""


class OpenClip:
    """A VisionModel, Tagger and ImageEmbedder; loads when first asked. Safe across threads.

    `digest` tells checkpoint files apart, `cache` is the folder that weights are fetched into,
    `tags` say what to describe by without a text decoder. On the GPU when torch has one. Calls
    raise ModelError when the model cannot be loaded (WeightsError: fetched), UsageError for a name
    that open_clip does not know, InputError for bytes that are no picture.
    """

    slots = 1

    def __init__(
        self,
        name: str,
        source: Source,
        digest: str,
        cache: Path,
        *,
        tags: Tags = Tags(),
        offline: bool = False,
    ) -> None:
        self.name, self.digest, self._source, self._tags = name, digest, source, tags
        self._cache, self._offline = cache, offline
        self._model: ClipModel | None = None
        self._lock = threading.RLock()
        self._words: tuple[tuple[str, ...], Vectors] | None = None

    def fingerprint(self) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            # A tag stands for one file in each version of the package.
            known = f"{self.name}@{version('open_clip_torch')}:{self.digest}".rstrip(":")
        except PackageNotFoundError as error:
            raise missing() from error
        return "+".join(filter(None, (known, self._tags.digest())))

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        """One caption an image, those that differ joined in order of time; tags without a decoder.

        No model of open_clip follows instructions: `prompt` has no effect, and a schema is
        refused. Raises ReplyError when it writes nothing.
        """
        del prompt
        if request.schema:
            raise ModelError(f"{self.name} writes captions and cannot follow a JSON schema")
        began = time.monotonic()
        room = max(LEAST_TOKENS, min(CAPTION_TOKENS, request.max_tokens))
        with self._lock:
            loaded = self._loaded()
            writes = hasattr(loaded.model, "text_decoder")
            text, whole = self._written(loaded, images, room) if writes else self._seen(images)
        if request.on_text:
            request.on_text(text)
        usage = Usage(1, 0, len(text.split()), time.monotonic() - began)
        return Reply(text, usage=usage, finish="stop" if whole else "length")

    def _written(self, loaded: ClipModel, images: Sequence[bytes], room: int) -> tuple[str, bool]:
        """Captions by the text decoder, and whether all of them came to their end."""
        rows = [row for batch in _batches(images) for row in loaded.captions(batch, room)]
        text = "; ".join(dict.fromkeys(filter(None, (_plain(row) for row in rows))))
        if not text:
            raise ReplyError(f"{self.name} wrote no caption for {len(images)} pictures")
        return text, all(END in row for row in rows)

    def _seen(self, images: Sequence[bytes]) -> tuple[str, bool]:
        """The tags of all images with a share that is large enough, the surest first."""
        best: dict[str, float] = {}
        for tags in self.tags(images, self._tags.vocabulary):
            for word, share in tags:
                best[word] = max(share, best.get(word, 0.0))
        sure = [word for word in best if best[word] >= self._tags.share]
        sure.sort(key=lambda word: -best[word])
        return SEEN + (", ".join(sure) or UNSURE), True

    def tags(
        self, images: Sequence[bytes], vocabulary: Sequence[str], most: int = 5
    ) -> list[list[tuple[str, float]]]:
        """Zero-shot classes: Radford et al. 2021, "Learning Transferable Visual Models From
        Natural Language Supervision", section 3.1."""
        import numpy as np

        if not images or not vocabulary:
            return [[] for _ in images]
        with self._lock:
            words = self._embedded(tuple(vocabulary))
            logits = self._loaded().scale * self.embed_images(images) @ words.T
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        best = (-shares).argsort(axis=1, kind="stable")[:, :most]
        return [
            [(vocabulary[i], float(row[i])) for i in chosen]
            for row, chosen in zip(shares, best, strict=True)
        ]

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Rows of unit length; a CLIP reads the first 75 tokens or so of a text."""
        import numpy as np

        del query
        with self._lock:
            loaded = self._loaded()
            rows = [loaded.texts(batch) for batch in _batches(texts or [""])]
        return np.concatenate(rows)[: len(texts)]

    def embed_images(self, images: Sequence[bytes]) -> Vectors:
        import numpy as np

        if not images:
            return self.embed([])
        with self._lock:
            loaded = self._loaded()
            return np.concatenate([loaded.pictures(batch) for batch in _batches(images)])

    def close(self) -> None:
        """Give back memory; a closed model may be used again."""
        with self._lock:
            self._model = self._words = None

    def _embedded(self, vocabulary: tuple[str, ...]) -> Vectors:
        """The vocabulary as vectors, kept: the same words are asked of every clip."""
        if self._words is None or self._words[0] != vocabulary:
            self._words = vocabulary, self.embed([TAG_PROMPT.format(word) for word in vocabulary])
        return self._words[1]

    def _loaded(self) -> ClipModel:
        if self._model is None:
            self._model = load(self.name, self._source, self._cache, self._offline)
        return self._model


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


def _plain(caption: str) -> str:
    """Without the marks, and without the space before its full stop."""
    text = caption.partition(END)[0].replace(START, "")
    return " ".join(text.split()).rstrip(" .")
