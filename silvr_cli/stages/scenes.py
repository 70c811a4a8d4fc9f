"""Thumbnails, or frames' vectors -> scenes: where one shot ends and another begins.

Pure; opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..likeness import neighbours
from ..records import FrameVectors, Scene
from ..tiling import tile_cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..media.footage import Thumbs
    from ..settings import Scenes

# Tuned on the cuts of a made film (benchmarks/cuts.py); thumbnails have no fine edges to weigh.
ADAPTIVE_RATIO = 2.5
ADAPTIVE_FLOOR = 14.0
CONTENT_THRESHOLD = 22.0
WINDOW = 2


def find_scenes(
    thumbs: Thumbs, duration: float, settings: Scenes, vectors: FrameVectors | None = None
) -> tuple[Scene, ...]:
    """Scenes that cover `[0, duration)` without a gap, none shorter than `min_length` seconds.

    Method tile goes by the frames' `vectors` where they exist, as its paper does. No thumbnails,
    no scenes.
    """
    if not len(thumbs.times):
        return ()
    if settings.method == "uniform":
        steps = int(np.ceil(duration / settings.uniform_length))
        cuts = [(step * settings.uniform_length, 0.0) for step in range(1, steps)]
    elif settings.method == "tile":
        times: Sequence[float] = vectors.times if vectors else thumbs.times.tolist()
        similarity = neighbours(vectors) if vectors else _similarity(thumbs.pixels)
        found = tile_cuts(similarity, settings.alpha)
        cuts = [(times[index + 1], depth) for index, depth in found]
    else:
        cuts = _detected(thumbs, settings)
    return _scenes(cuts, duration, settings.min_length)


def _similarity(pixels: NDArray[np.uint8]) -> NDArray[Any]:
    """float[n - 1]: 1 minus the mean absolute difference of neighbouring thumbnails."""
    changes = [
        np.abs(pixels[i + 1].astype(np.int16) - pixels[i]).mean() / 255
        for i in range(len(pixels) - 1)
    ]
    similar: NDArray[Any] = 1.0 - np.asarray(changes)
    return similar


def _detected(thumbs: Thumbs, settings: Scenes) -> list[tuple[float, float]]:
    """(time, score) of the cuts that PySceneDetect's detector finds among the thumbnails."""
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

    # Times are mapped back by index, so the rate is only a name for "one a thumbnail".
    weights = ContentDetector.Components(delta_hue=1.0, delta_sat=1.0, delta_lum=1.0, delta_edges=0)
    if settings.method == "adaptive":
        detector: Any = AdaptiveDetector(
            adaptive_threshold=settings.threshold or ADAPTIVE_RATIO,
            min_scene_len=1,
            window_width=WINDOW,
            min_content_val=ADAPTIVE_FLOOR,
            weights=weights,
        )
    else:
        detector = ContentDetector(
            threshold=settings.threshold or CONTENT_THRESHOLD, min_scene_len=1, weights=weights
        )
    found: list[Any] = []
    for index, pixels in enumerate(thumbs.pixels):
        bgr = np.ascontiguousarray(pixels[:, :, ::-1])
        found += detector.process_frame(FrameTimecode(index, 1.0), bgr)
    found += detector.post_process(FrameTimecode(max(0, len(thumbs.times) - 1), 1.0))
    indices = sorted({cut.frame_num for cut in found if 0 < cut.frame_num < len(thumbs.times)})
    return [(float(thumbs.times[i]), _strength(thumbs.pixels, i)) for i in indices]


def _strength(pixels: NDArray[np.uint8], index: int) -> float:
    return float(np.abs(pixels[index].astype(np.int16) - pixels[index - 1]).mean() / 255)


def _scenes(
    cuts: Iterable[tuple[float, float]], duration: float, min_length: float
) -> tuple[Scene, ...]:
    kept = [(0.0, 0.0)]
    for time, score in sorted(cuts):
        if time - kept[-1][0] >= min_length and duration - time >= min_length:
            kept.append((time, score))
    ends = [time for time, _ in kept[1:]] + [duration]
    return tuple(Scene(t, end, score) for (t, score), end in zip(kept, ends, strict=True))
