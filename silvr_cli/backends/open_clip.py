"""Pictures through open_clip: tags and embeddings by any CLIP, captions by a CoCa.

Takes JPEG bytes, gives text, shares and vectors. What to ask of a video is not known here, and
torch only in `clip_model`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
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
CAPTIONER = "openclip/coca_ViT-L-14/mscoco_finetuned_laion2b_s13b_b90k"


class OpenClip:
    """A VisionModel, Tagger and ImageEmbedder; loads when first asked. Safe across threads.

    `digest` tells checkpoint files apart, `cache` is the folder that weights are fetched into. On
    the GPU when torch has one. Calls raise ModelError when the model cannot be loaded
    (WeightsError: fetched), UsageError for a name that open_clip does not know, InputError for
    bytes that are no picture.
    """

    slots = 1

    def __init__(
        self, name: str, source: Source, digest: str, cache: Path, *, offline: bool = False
    ) -> None:
        self.name, self.digest, self._source = name, digest, source
        self._cache, self._offline = cache, offline
        self._model: ClipModel | None = None
        self._lock = threading.RLock()
        self._words: tuple[tuple[str, ...], Vectors] | None = None

    def fingerprint(self) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            # A tag stands for one file in each version of the package.
            return f"{self.name}@{version('open_clip_torch')}:{self.digest}".rstrip(":")
        except PackageNotFoundError as error:
            raise missing() from error

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        """One caption an image, those that differ joined in order of time.

        CoCa follows no instructions: `prompt` has no effect, and a schema is refused. Raises
        ModelError when the model has no text decoder, ReplyError when it writes nothing.
        """
        del prompt
        if request.schema:
            raise ModelError(f"{self.name} writes captions and cannot follow a JSON schema")
        began = time.monotonic()
        room = max(LEAST_TOKENS, min(CAPTION_TOKENS, request.max_tokens))
        with self._lock:
            loaded = self._captioner()
            rows = [row for batch in _batches(images) for row in loaded.captions(batch, room)]
        text = "; ".join(dict.fromkeys(filter(None, (_plain(row) for row in rows))))
        if not text:
            raise ReplyError(f"{self.name} wrote no caption for {len(images)} pictures")
        if request.on_text:
            request.on_text(text)
        usage = Usage(1, 0, len(text.split()), time.monotonic() - began)
        return Reply(text, usage=usage, finish="stop" if all(END in r for r in rows) else "length")

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

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Rows of unit length; a CLIP reads the first 75 tokens or so of a text."""
        import numpy as np

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

    def _captioner(self) -> ClipModel:
        loaded = self._loaded()
        if not hasattr(loaded.model, "text_decoder"):
            raise ModelError(
                f"{self.name} has no text decoder: it gives tags and embeddings, but no captions",
                f"the coca models write captions, such as {CAPTIONER}",
            )
        return loaded

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
