"""Clips -> captions without a vision model: what changes in the picture, never what it shows.

Every word rests on the thumbnails: black, still, cuts, motion, black and white, a picture seen
before. A model that sees captions clips through the same stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..media.footage import same_picture
from ..records import Clip, Line, Scene
from ..timeline import clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..media.footage import Thumbs
    from ..settings import Captions

SOURCE = "embedded"
# Video black is 16 of 255.
BLACK = 0.09
GREY = 0.012
STRONG_MOTION = 0.06


def tell_changes(
    clips: Sequence[Clip], scenes: Sequence[Scene], thumbs: Thumbs, settings: Captions
) -> tuple[Line, ...]:
    """A caption a clip; neighbouring clips of which the same is true are told as one line."""
    if not len(thumbs.times):
        return ()
    seen = _Seen(scenes, thumbs)
    lines: list[Line] = []
    for clip in clips:
        text = _text(clip, scenes, thumbs, settings, seen)
        if lines and lines[-1].text == text and not _opens(clip, scenes):
            first = lines.pop()
            lines.append(Line(first.start, clip.end, "caption", text, clip.level, SOURCE))
        else:
            lines.append(Line(clip.start, clip.end, "caption", text, clip.level, SOURCE))
    return tuple(lines)


def _text(
    clip: Clip, scenes: Sequence[Scene], thumbs: Thumbs, settings: Captions, seen: _Seen
) -> str:
    pixels = thumbs.within(clip.start, clip.end)
    if pixels.max(initial=0) / 255 <= BLACK:
        return "black picture"
    cuts = [scene for scene in scenes if clip.start <= scene.start < clip.end and scene.start > 0]
    parts = [_cuts(cuts), seen.returning(cuts), _motion(pixels, bool(cuts), settings)]
    if _spread(pixels) < GREY:
        parts.append("black and white")
    return "; ".join(part for part in parts if part)


def _cuts(cuts: Sequence[Scene]) -> str:
    if not cuts:
        return ""
    if len(cuts) == 1:
        return f"new picture at {clock(cuts[0].start)}"
    return f"{len(cuts)} new pictures"


def _motion(pixels: NDArray[np.uint8], cut: bool, settings: Captions) -> str:
    """Still, slow change or motion, by the mean change between thumbnails that are no cuts."""
    if len(pixels) < 2:
        return "" if cut else "still picture"
    # Reduced clips of long files hold thousands of thumbnails; 64 tell as much.
    some = pixels[:: max(1, len(pixels) // 64)].astype(np.int16)
    steps = np.abs(np.diff(some, axis=0)).mean(axis=(1, 2, 3)) / 255
    change = float(np.median(steps))
    if change < settings.min_change / 4:
        return "" if cut else "still picture"
    return (
        "strong motion"
        if change > STRONG_MOTION
        else "slow change"
        if change < settings.min_change
        else "motion"
    )


def _spread(pixels: NDArray[np.uint8]) -> float:
    """Mean distance between the colour channels, as a share of full brightness."""
    some = pixels[:: max(1, len(pixels) // 16)].astype(np.int16)
    return float((some.max(axis=3) - some.min(axis=3)).mean()) / 255


def _opens(clip: Clip, scenes: Iterable[Scene]) -> bool:
    return any(abs(scene.start - clip.start) < 0.5 and scene.start > 0 for scene in scenes)


class _Seen:
    """Finds scenes that begin with a picture seen before."""

    def __init__(self, scenes: Sequence[Scene], thumbs: Thumbs) -> None:
        self.first: dict[float, float] = {}
        faces: list[tuple[float, Any]] = []
        for scene in scenes:
            index = min(int(np.searchsorted(thumbs.times, scene.start)) + 1, len(thumbs.times) - 1)
            face = thumbs.pixels[index].astype(np.int16)
            before = next((t for t, old in faces if same_picture(face, old)), None)
            if before is not None and face.std() > 255 * BLACK:
                self.first[scene.start] = before
            elif len(faces) < 500:
                faces.append((scene.start, face))

    def returning(self, cuts: Sequence[Scene]) -> str:
        times = [self.first[cut.start] for cut in cuts if cut.start in self.first]
        return f"same picture as at {clock(times[0])}" if times else ""
