"""How alike frames are, and frames and words, by their vectors; pure, no model.

Rows are `float32[n, d]` of unit length, so that a product of two is their cosine.
"""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .records import FrameVectors, Line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .protocols import Vectors

PACKED = np.dtype("<f2")
# Frames are looked at once a second: a cut shows in the first frame after it.
SETTLED = 1.5


def pack(times: Sequence[float], rows: Vectors) -> FrameVectors:
    """A record of float32[n, d] `rows`, the frames at `times`; half precision is plenty here."""
    packed = base64.b64encode(rows.astype(PACKED).tobytes()).decode("ascii")
    return FrameVectors(tuple(times), rows.shape[1], packed)


def unpack(vectors: FrameVectors) -> Vectors:
    """float32[n, width], as long as `times`, each row of unit length again."""
    flat = np.frombuffer(base64.b64decode(vectors.packed), PACKED)
    rows = flat.reshape(len(vectors.times), vectors.width).astype(np.float32)
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.asarray(rows / lengths, np.float32)


def joined(parts: Sequence[FrameVectors]) -> FrameVectors:
    """One record of records that follow each other in time and have one width."""
    data = b"".join(base64.b64decode(part.packed) for part in parts)
    times = tuple(time for part in parts for time in part.times)
    width = parts[0].width if parts else 0
    return FrameVectors(times, width, base64.b64encode(data).decode("ascii"))


def neighbours(vectors: FrameVectors) -> NDArray[np.float64]:
    """float64[n - 1]: the cosine of each frame and the next; empty for fewer than two."""
    rows = unpack(vectors).astype(np.float64)
    return np.asarray((rows[:-1] * rows[1:]).sum(axis=1))


class Likeness:
    """Which frames of one video show the same: those with a cosine of `limit` and more."""

    def __init__(self, vectors: FrameVectors, limit: float) -> None:
        self.times, self.rows, self.limit = vectors.times, unpack(vectors), limit

    def still(self, start: float, end: float) -> bool:
        """Whether every frame that stands in `[start, end)` shows the same as the first."""
        first, last = standing(self.times, start, end)
        if first == last:
            return False
        return bool((self.rows[first:last] @ self.rows[first] >= self.limit).all())

    def distinct(self, times: Sequence[float]) -> list[int]:
        """Which of `times`, ascending, show something else than the one kept before them.

        A time without a vector is kept.
        """
        kept: list[int] = []
        last: Vectors | None = None
        for place, time in enumerate(times):
            row = self._at(time)
            if row is None or last is None or float(row @ last) < self.limit:
                kept.append(place)
                last = row
        return kept

    def _at(self, time: float) -> Vectors | None:
        """float32[d]: the row of the frame at exactly this time."""
        index = bisect_left(self.times, time)
        found = index < len(self.times) and self.times[index] == time
        return self.rows[index] if found else None


def standing(times: Sequence[float], start: float, end: float) -> tuple[int, int]:
    """`first, last`: the frames `[first, last)` of ascending `times` that stand in `[start, end)`.

    Frames are kept where the picture changes, so one from before may stand there still, and the
    span has at least one frame unless there are none at all.
    """
    first, last = bisect_left(times, start), bisect_left(times, end)
    if first == last or times[first] - start > SETTLED:
        first = max(0, bisect_right(times, start) - 1)
    return first, min(len(times), max(last, first + 1))


def hints(query: Vectors, vectors: FrameVectors, lines: Sequence[Line]) -> list[float]:
    """How well the best frame in each line's span goes with float32[d] `query`, from 0 to 1.

    Cosines of words and pictures all lie close together, so 0 is the video's mean and below, and
    1 its best frame.
    """
    if not vectors.times:
        return [0.0] * len(lines)
    cosines = unpack(vectors) @ query
    best, mean = float(cosines.max()), float(cosines.mean())
    if best - mean < np.finfo(PACKED).eps:
        return [0.0] * len(lines)
    spans = (standing(vectors.times, line.start, line.end) for line in lines)
    top = (float(cosines[first:last].max()) for first, last in spans)
    return [max(0.0, (each - mean) / (best - mean)) for each in top]


@dataclass(frozen=True, slots=True)
class Near:
    """A frame of a video, and its cosine with what was looked for."""

    video: str
    time: float
    score: float


def nearest(
    query: Vectors, library: Iterable[tuple[str, FrameVectors]], top: int, apart: float = 0.0
) -> list[Near]:
    """The `top` frames of all videos nearest to float32[d] `query`, the best first.

    Frames of one video are at least `apart` seconds from each other. One video is unpacked at a
    time: a hundred hours are 0.7 GB of float32[n, 512].
    """
    found: list[Near] = []
    for video, vectors in library:
        cosines = unpack(vectors) @ query
        mine: list[Near] = []
        for index in (-cosines).argsort(kind="stable"):
            if len(mine) == top:
                break
            time = vectors.times[index]
            if all(abs(time - other.time) >= apart for other in mine):
                mine.append(Near(video, time, float(cosines[index])))
        found += mine
    return sorted(found, key=lambda near: (-near.score, near.video, near.time))[:top]
