"""Where a sequence falls apart: valleys in the similarity of neighbours. Pure numbers and words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .relevance import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray


def tile_cuts(similarity: NDArray[Any], alpha: float) -> list[tuple[int, float]]:
    """Cuts in a sequence float[n] of similarities between neighbours: (index, depth score).

    SceneTiling of VideoLLaMB (arXiv 2409.01071, section 3.1), after TextTiling: a valley's depth
    is how far the peaks on its left and right rise above it; cut where it exceeds
    mean + alpha * standard deviation. Index i lies between element i and element i + 1.
    """
    values = np.asarray(similarity, dtype=np.float64)
    if not len(values):
        return []
    depth = _depth(values)
    limit = depth.mean() + alpha * depth.std()
    return [(int(i), float(depth[i])) for i in np.flatnonzero(_valleys(values) & (depth > limit))]


def falls(similarity: NDArray[Any]) -> list[tuple[int, float]]:
    """The valleys in a sequence like that of `tile_cuts`: (index, share of the peaks' mean lost).

    Other than a depth, a share tells by itself how much of a change it is: 1 is a total one.
    """
    values = np.asarray(similarity, dtype=np.float64)
    if not len(values):
        return []
    depth = _depth(values)
    share = depth / np.maximum(2 * values + depth, 1e-9)
    return [(int(i), float(share[i])) for i in np.flatnonzero(_valleys(values))]


def _depth(values: NDArray[Any]) -> NDArray[Any]:
    depth: NDArray[Any] = _climb(values[::-1])[::-1] + _climb(values) - 2 * values
    return depth


def _valleys(values: NDArray[Any]) -> NDArray[Any]:
    inner = np.concatenate(([np.inf], values, [np.inf]))
    lowest: NDArray[Any] = (values <= inner[:-2]) & (values < inner[2:])
    return lowest


def _climb(values: NDArray[Any]) -> NDArray[Any]:
    """For each place, the height of the first peak reached by climbing to the right."""
    peaks: NDArray[Any] = values.copy()
    for index in range(len(values) - 2, -1, -1):
        if values[index + 1] >= values[index]:
            peaks[index] = peaks[index + 1]
    return peaks


def word_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """float32[n, d] of unit length (or zero): a text's telling words, rare ones weighing more."""
    counts = [Counter(terms(text)) for text in texts]
    frequency = Counter(term for count in counts for term in count)
    # A word of one text alone brings no two texts nearer.
    place = {term: i for i, term in enumerate(t for t, n in frequency.items() if n > 1)}
    rows = np.zeros((len(texts), max(1, len(place))), np.float32)
    for row, count in zip(rows, counts, strict=True):
        for term in count.keys() & place.keys():
            row[place[term]] = math.log1p(count[term]) * math.log(len(texts) / frequency[term])
    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


def block_similarity(vectors: NDArray[Any], reach: int) -> NDArray[Any]:
    """float[n - 1]: for each gap, how alike the `reach` rows before and after it are together."""
    sums = np.concatenate((np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0)))
    gaps = np.arange(1, len(vectors))
    before = sums[gaps] - sums[np.maximum(gaps - reach, 0)]
    after = sums[np.minimum(gaps + reach, len(vectors))] - sums[gaps]
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    alike: NDArray[Any] = (before * after).sum(axis=1) / np.maximum(norms, 1e-9)
    return alike
