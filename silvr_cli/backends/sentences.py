"""Sentence embeddings by all-MiniLM-L6-v2 or all-mpnet-base-v2: their encoders in numpy, no torch.

Knows the publisher's two files, model.safetensors and tokenizer.json; nothing of what is embedded.
The encoders are BERT's (arXiv 1810.04805) and MPNet's (arXiv 2004.09297) with published weights;
a text's row is the mean over its tokens, as in Sentence-BERT (arXiv 1908.10084), section 3.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    from ..protocols import Vectors

HEADS = 12
# MPNet's distances between tokens: so many kinds to either side, half of them exact, the others
# ever coarser up to FARTHEST tokens. Its positions are counted from FIRST_POSITION.
DISTANCES, FARTHEST, FIRST_POSITION = 16, 128, 2
# Tokens that go through the encoder together; more would only leave the processor's cache.
BATCH_TOKENS = 2048
TINY = 1e-12
# GELU is computed over so many rows at a time, which stay in the cache from step to step.
GELU_ROWS = 64
# erf(x) = 1 - (a1 t + … + a5 t^5) exp(-x²) with t = 1 / (1 + p x), for x >= 0, within 1.5e-7:
# Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), formula 7.1.26.
ERF_P = 0.3275911
ERF_A = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


@dataclass(frozen=True, slots=True)
class Shape:
    """A published encoder; texts are cut after `longest` tokens, as its publisher does."""

    title: str
    weights: str
    width: int
    layers: int
    longest: int
    encoder: type[_Bert]


class Sentences:
    """An Embedder; `folder` is asked for when the first text comes."""

    slots = 1

    def __init__(self, name: str, digest: str, shape: Shape, folder: Callable[[], Path]) -> None:
        self.name, self.digest, self.shape, self._folder = name, digest, shape, folder
        self._opened: tuple[Any, _Bert] | None = None
        self._lock = threading.Lock()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.digest}"

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """One row of unit length for each text; raises ModelError when the files are not those."""
        import numpy as np

        del query
        rows = np.empty((len(texts), self.shape.width), np.float32)
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

    def _loaded(self) -> tuple[Any, _Bert]:
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
                tokenizer.enable_truncation(self.shape.longest)
                tensors = _tensors(folder / "model.safetensors", self.shape)
                self._opened = tokenizer, self.shape.encoder(tensors, self.shape)
            return self._opened


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Indices of texts with equally many tokens: none is padded, so nothing need be masked."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, tokens in enumerate(ids):
        groups[len(tokens)].append(index)
    for length, group in groups.items():
        step = max(1, BATCH_TOKENS // length)
        yield from (group[at : at + step] for at in range(0, len(group), step))


def _tensors(path: Path, shape: Shape) -> dict[str, Any]:
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
    if found.get("embeddings.LayerNorm.weight", np.empty(0)).shape != (shape.width,):
        raise ModelError(f"{path} holds another model than {shape.title}")
    return found


class _Bert:
    """BERT's layers; arrays are `[texts, tokens, width]` on the way."""

    QUERY, KEY, VALUE = "self.query", "self.key", "self.value"
    MIXED, MIXED_NORM = "output.dense", "output.LayerNorm"
    # What is added to a variance before its root is taken.
    EPSILON = 1e-12

    def __init__(self, tensors: dict[str, Any], shape: Shape) -> None:
        self.tensors, self.shape = tensors, shape

    def rows(self, ids: Any) -> Any:
        """Token ids `[texts, tokens]` -> rows of unit length `[texts, width]`."""
        import numpy as np

        hidden = self._normed(self._embedded(ids), "embeddings.LayerNorm")
        bias = self._bias(ids.shape[1])
        for layer in range(self.shape.layers):
            hidden = self._layer(hidden, f"encoder.layer.{layer}", bias)
        means = hidden.mean(axis=1)
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), TINY)

    def _embedded(self, ids: Any) -> Any:
        t = self.tensors
        hidden = t["embeddings.word_embeddings.weight"][ids]
        hidden += t["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden += t["embeddings.token_type_embeddings.weight"][0]
        return hidden

    def _bias(self, tokens: int) -> Any:
        """What is added to each token's attention to each other one."""
        del tokens
        return 0.0

    def _layer(self, hidden: Any, at: str, bias: Any) -> Any:
        attention = f"{at}.attention"
        mixed = self._dense(self._attended(hidden, attention, bias), f"{attention}.{self.MIXED}")
        hidden = self._normed(hidden + mixed, f"{attention}.{self.MIXED_NORM}")
        inner = _gelu(self._dense(hidden, f"{at}.intermediate.dense"))
        outer = self._dense(inner, f"{at}.output.dense")
        return self._normed(hidden + outer, f"{at}.output.LayerNorm")

    def _attended(self, hidden: Any, at: str, bias: Any) -> Any:
        """Each token's mixture of all tokens of its text, head by head."""
        import numpy as np

        texts, tokens, width = hidden.shape
        shape = (texts, tokens, HEADS, width // HEADS)
        query, key, value = (
            self._dense(hidden, f"{at}.{part}").reshape(shape).transpose(0, 2, 1, 3)
            for part in (self.QUERY, self.KEY, self.VALUE)
        )
        weights = query @ key.transpose(0, 1, 3, 2)
        weights *= (width // HEADS) ** -0.5
        weights += bias
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        return (weights @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, width)

    def _dense(self, hidden: Any, at: str) -> Any:
        weight, bias = self.tensors[f"{at}.weight"], self.tensors[f"{at}.bias"]
        # One flat product: numpy would multiply stacked matrices text by text.
        flat = hidden.reshape(-1, hidden.shape[-1]) @ weight.T
        flat += bias
        return flat.reshape(*hidden.shape[:-1], -1)

    def _normed(self, hidden: Any, at: str) -> Any:
        import numpy as np

        hidden = hidden - hidden.mean(axis=-1, keepdims=True)
        hidden /= np.sqrt(np.square(hidden).mean(axis=-1, keepdims=True) + self.EPSILON)
        hidden *= self.tensors[f"{at}.weight"]
        hidden += self.tensors[f"{at}.bias"]
        return hidden


class _Mpnet(_Bert):
    """MPNet's layers: BERT's, which also see how far apart two tokens are."""

    QUERY, KEY, VALUE = "attn.q", "attn.k", "attn.v"
    MIXED, MIXED_NORM = "attn.o", "LayerNorm"
    EPSILON = 1e-5

    def _embedded(self, ids: Any) -> Any:
        t = self.tensors
        places = slice(FIRST_POSITION, FIRST_POSITION + ids.shape[1])
        hidden = t["embeddings.word_embeddings.weight"][ids]
        hidden += t["embeddings.position_embeddings.weight"][places]
        return hidden

    def _bias(self, tokens: int) -> Any:
        """`[heads, tokens, tokens]`, by distance and direction (T5, arXiv 1910.10683, 2.1)."""
        import numpy as np

        at = np.arange(tokens)
        away = at[:, None] - at
        far, exact = np.abs(away), DISTANCES // 2
        steps = np.log(np.maximum(far, 1) / exact) / np.log(FARTHEST / exact)
        coarse = np.minimum(exact + (steps * exact).astype(int), DISTANCES - 1)
        kinds = np.where(far < exact, far, coarse) + DISTANCES * (away < 0)
        return self.tensors["encoder.relative_attention_bias.weight"][kinds].transpose(2, 0, 1)


SHAPES = {
    "minilm": Shape("all-MiniLM-L6-v2", "minilm-l6-v2", 384, 6, 256, _Bert),
    "mpnet": Shape("all-mpnet-base-v2", "mpnet-base-v2", 768, 12, 384, _Mpnet),
}


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
