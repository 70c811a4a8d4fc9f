"""Scenes -> clips: the stretches that one caption describes, at one length of the ladder. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..records import Clip, Scene

# A boundary moves to a cut that lies within this share of the clip length.
SNAP = 0.25


def cut_clips(duration: float, scenes: Sequence[Scene], level: float) -> tuple[Clip, ...]:
    """Clips of about `level` seconds that cover `[0, duration)` without gap or overlap.

    The boundaries are the multiples of `level`, each moved to the nearest scene cut within a
    quarter of `level`; a last clip shorter than half of `level` joins the one before it.
    """
    if duration <= 0:
        return ()
    cuts = [scene.start for scene in scenes[1:]]
    marks = [level * step for step in range(1, int(duration / level + 0.5))]
    inner = [_snapped(mark, cuts, level * SNAP) for mark in marks]
    bounds = [0.0, *(b for b in inner if 0 < b < duration), duration]
    return tuple(Clip(a, b, level) for a, b in pairwise(bounds))


def _snapped(mark: float, cuts: Sequence[float], reach: float) -> float:
    nearest = min(cuts, key=lambda cut: abs(cut - mark), default=mark)
    return nearest if abs(nearest - mark) <= reach else mark
