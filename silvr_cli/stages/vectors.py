"""Frames -> vectors: where each picture lies among all pictures and texts.

Knows the ImageEmbedder protocol, no model. A batch of frames is a piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..likeness import joined, pack
from ..records import FrameVectors

if TYPE_CHECKING:
    from ..media.footage import Frame
    from ..protocols import ImageEmbedder, Work
    from ..settings import Vectors


def embed_frames(
    frames: Sequence[Frame], model: ImageEmbedder, settings: Vectors, work: Work
) -> FrameVectors:
    """One row a frame, in order: float16[len(frames), d], d the model's own."""
    parts = []
    for at in range(0, len(frames), settings.batch):
        parts.append(_embedded(frames[at : at + settings.batch], model, work))
        work.report(min(at + settings.batch, len(frames)), len(frames))
    return joined(parts)


def _embedded(batch: Sequence[Frame], model: ImageEmbedder, work: Work) -> FrameVectors:
    """The rows of one batch, float16[len(batch), d]: stored ones, or the model's, now stored."""
    key = f"frames {batch[0].time:.3f}-{batch[-1].time:.3f}"
    stored = work.get(key)
    if stored is not None:
        return FrameVectors(tuple(stored["times"]), stored["width"], stored["packed"])
    made = pack(
        [frame.time for frame in batch], model.embed_images([frame.jpeg() for frame in batch])
    )
    work.put(key, asdict(made))
    return made
