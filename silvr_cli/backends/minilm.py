"""Sentence embeddings by all-MiniLM-L6-v2: its BERT encoder in numpy, without torch.

Knows the publisher's two files, model.safetensors and tokenizer.json; nothing of what is embedded.
The encoder is BERT's (arXiv 1810.04805) with the published weights; a text's row is the mean over
its tokens, as in Sentence-BERT (arXiv 1908.10084), section 3.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    from ..protocols import Vectors

WIDTH, HEADS, LAYERS = 384, 12, 6
# Texts are cut after so many tokens, as the publisher's own library does.
LONGEST = 256
# Tokens that go through the encoder together; more would only leave the processor's cache.
BATCH_TOKENS = 2048
TINY = 1e-12
# GELU is computed over so many rows at a time, which stay in the cache from step to step.
GELU_ROWS = 64
# erf(x) = 1 - (a1 t + … + a5 t^5) exp(-x²) with t = 1 / (1 + p x), for x >= 0, within 1.5e-7:
# Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), formula 7.1.26.
ERF_P = 0.3275911
ERF_A = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


class MiniLm:
    """An Embedder; `folder` is asked for when the first text comes."""

    slots = 1

    def __init__(self, name: str, digest: str, folder: Callable[[], Path]) -> None:
        self.name, self.digest, self._folder = name, digest, folder
        self._opened: tuple[Any, _Encoder] | None = None
        self._lock = threading.Lock()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.digest}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of unit length for each text; raises ModelError when the files are no MiniLM."""
        import numpy as np

        rows = np.empty((len(texts), WIDTH), np.float32)
        if not texts:
            return rows
        tokenizer, encoder = self._loaded()
        ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        for batch in _batches(ids):
            rows[batch] = encoder.rows(np.array([ids[i] for i in batch]))
        return rows

    def close(self) -> None:
        with self._lock:
            self._opened = None

    def _loaded(self) -> tuple[Any, _Encoder]:
        from tokenizers import Tokenizer

        with self._lock:
            if self._opened is None:
                folder = self._folder()
                # Its errors share no base but Exception.
                try:
                    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
                except Exception as error:
                    raise ModelError(f"{self.name} has no usable tokenizer: {error}") from error
                tokenizer.no_padding()
                tokenizer.enable_truncation(LONGEST)
                self._opened = tokenizer, _Encoder(_tensors(folder / "model.safetensors"))
            return self._opened


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Indices of texts with equally many tokens: none is padded, so nothing need be masked."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, tokens in enumerate(ids):
        groups[len(tokens)].append(index)
    for length, group in groups.items():
        step = max(1, BATCH_TOKENS // length)
        yield from (group[at : at + step] for at in range(0, len(group), step))


def _tensors(path: Path) -> dict[str, Any]:
    """The arrays of a safetensors file: 8 bytes of length, a JSON header, the raw numbers."""
    import numpy as np

    try:
        data = path.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        found = {}
        for name, entry in header.items():
            if entry.get("dtype") == "F32":
                first, last = entry["data_offsets"]
                numbers = np.frombuffer(data, "<f4", (last - first) // 4, start + first)
                found[name] = numbers.reshape(entry["shape"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    if found.get("embeddings.LayerNorm.weight", np.empty(0)).shape != (WIDTH,):
        raise ModelError(f"{path} holds another model than all-MiniLM-L6-v2")
    return found


class _Encoder:
    """The six layers; arrays are `[texts, tokens, WIDTH]` on the way."""

    def __init__(self, tensors: dict[str, Any]) -> None:
        self.tensors = tensors

    def rows(self, ids: Any) -> Any:
        """Token ids `[texts, tokens]` -> rows of unit length `[texts, WIDTH]`."""
        import numpy as np

        t = self.tensors
        hidden = t["embeddings.word_embeddings.weight"][ids]
        hidden += t["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden += t["embeddings.token_type_embeddings.weight"][0]
        hidden = self._normed(hidden, "embeddings")
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        means = hidden.mean(axis=1)
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), TINY)

    def _layer(self, hidden: Any, at: str) -> Any:
        mixed = self._attended(hidden, f"{at}.attention.self")
        mixed = self._dense(mixed, f"{at}.attention.output.dense")
        hidden = self._normed(hidden + mixed, f"{at}.attention.output")
        inner = _gelu(self._dense(hidden, f"{at}.intermediate.dense"))
        return self._normed(hidden + self._dense(inner, f"{at}.output.dense"), f"{at}.output")

    def _attended(self, hidden: Any, at: str) -> Any:
        """Each token's mixture of all tokens of its text, head by head."""
        import numpy as np

        texts, tokens, _ = hidden.shape
        shape = (texts, tokens, HEADS, WIDTH // HEADS)
        query, key, value = (
            self._dense(hidden, f"{at}.{part}").reshape(shape).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        weights = query @ key.transpose(0, 1, 3, 2)
        weights *= (WIDTH // HEADS) ** -0.5
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        return (weights @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, WIDTH)

    def _dense(self, hidden: Any, at: str) -> Any:
        weight, bias = self.tensors[f"{at}.weight"], self.tensors[f"{at}.bias"]
        # One flat product: numpy would multiply stacked matrices text by text.
        flat = hidden.reshape(-1, hidden.shape[-1]) @ weight.T
        flat += bias
        return flat.reshape(*hidden.shape[:-1], -1)

    def _normed(self, hidden: Any, at: str) -> Any:
        import numpy as np

        hidden = hidden - hidden.mean(axis=-1, keepdims=True)
        hidden /= np.sqrt(np.square(hidden).mean(axis=-1, keepdims=True) + TINY)
        hidden *= self.tensors[f"{at}.LayerNorm.weight"]
        hidden += self.tensors[f"{at}.LayerNorm.bias"]
        return hidden


def _gelu(hidden: Any) -> Any:
    """x / 2 (1 + erf(x / √2)), in place."""
    import numpy as np

    flat = hidden.reshape(-1, hidden.shape[-1])
    for at in range(0, len(flat), GELU_ROWS):
        x = flat[at : at + GELU_ROWS]
        size = np.abs(x)
        size *= 0.5**0.5
        t = 1 / (1 + ERF_P * size)
        tail = np.full_like(t, ERF_A[-1])
        for coefficient in reversed(ERF_A[:-1]):
            tail *= t
            tail += coefficient
        tail *= t
        tail *= np.exp(-np.square(size))
        # x Φ(x), where Φ(x) = 1 - tail / 2 for x >= 0 and tail / 2 below.
        half = np.where(x >= 0, 2 - tail, tail)
        half *= 0.5
        x *= half
    return hidden
