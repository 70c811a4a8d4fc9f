"""Embeddings of a video's texts, kept in the cache: the second query embeds only itself.

Knows the Embedder protocol, the store and the meter; no stage.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import backends
from .cache.store import Store
from .metering import Meter, guarded_embedder

if TYPE_CHECKING:
    from .protocols import Embedder, Progress, Vectors
    from .settings import Settings

STAGE = "embeddings"
# A text whose vector tells models apart that bear the same name, and how alike one's own are.
PROBE, SAME = "a letter from the harbour", 0.98


def named(settings: Settings, progress: Progress | None = None) -> Embedder | None:
    """The embedder that the user names; None for `auto`, which can do without one, and `none`."""
    if settings.models.embed in ("auto", "none"):
        return None
    return backends.embedder(settings.models.embed, settings, progress)


def keeping(model: Embedder, store: Store, meter: Meter, video: str) -> Kept:
    """The model with its calls counted, and what it makes of the video's texts kept."""
    return Kept(guarded_embedder(model, meter, video), store, video)


class Kept:
    """An Embedder in front of another; several texts at once are kept, queries and single
    ones are not.

    `made` is how many texts the model itself had to embed.
    """

    def __init__(self, model: Embedder, store: Store, video: str) -> None:
        self.model, self.store, self.video, self.made = model, store, video, 0
        self.on_a_server = bool(getattr(model, "on_a_server", False))

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def slots(self) -> int:
        return self.model.slots

    def fingerprint(self) -> str:
        return self.model.fingerprint()

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """The model's rows, or those it once made of the same texts in the same order."""
        import numpy as np

        if query or len(texts) < 2:
            self.made += len(texts)
            return self.model.embed(texts, query=query)
        key = self._key(texts)
        kept = self.store.piece(STAGE, key)
        if kept is not None:
            rows = np.frombuffer(base64.b64decode(kept["packed"]), "<f4").reshape(len(texts), -1)
            if self._same_model(rows, kept):
                return rows
        self.made += len(texts)
        rows = self.model.embed(texts)
        value = {"packed": _packed(rows)}
        if self.on_a_server:
            value["probe"] = _packed(self.model.embed([PROBE]))
        self.store.put_piece(self.video, STAGE, key, value)
        return rows

    def _same_model(self, rows: Vectors, kept: Mapping[str, str]) -> bool:
        """A server may have another model under the same name since: its vectors tell."""
        if not self.on_a_server:
            return True
        import numpy as np

        (now,) = self.model.embed([PROBE])
        then = np.frombuffer(base64.b64decode(kept.get("probe", "")), "<f4")
        return rows.shape[1] == len(then) == len(now) and bool(then @ now > SAME)

    def close(self) -> None:
        self.model.close()

    def _key(self, texts: Sequence[str]) -> str:
        digest = hashlib.sha256(self.fingerprint().encode("utf-8"))
        for text in texts:
            # Texts of a timeline hold no control characters, so this cannot stand in one.
            digest.update(b"\0" + text.encode("utf-8"))
        return digest.hexdigest()


def _packed(rows: Vectors) -> str:
    return base64.b64encode(rows.astype("<f4").tobytes()).decode("ascii")
