"""Clips cover the video without gap or overlap, and move to the cuts nearby."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.records import Scene
from silvr_cli.stages.clips import cut_clips


@given(
    duration=st.floats(0.1, 5000),
    level=st.sampled_from([1.0, 8.0, 16.0, 64.0]),
    cuts=st.lists(st.floats(0.1, 5000), max_size=40),
)
def test_clips_cover_the_video(duration: float, level: float, cuts: list[float]) -> None:
    bounds = [0.0, *sorted({c for c in cuts if c < duration}), duration]
    scenes = [Scene(a, b) for a, b in pairwise(bounds)]
    clips = cut_clips(duration, scenes, level)
    assert clips[0].start == 0.0
    assert clips[-1].end == duration
    assert all(a.end == b.start for a, b in pairwise(clips))
    assert all(clip.end > clip.start for clip in clips)
    assert all(clip.end - clip.start <= 2 * level for clip in clips)
    if duration > level:
        assert min(clip.end - clip.start for clip in clips) >= level * 0.24


def test_a_boundary_moves_to_a_cut_nearby() -> None:
    scenes = [Scene(0.0, 9.5), Scene(9.5, 20.0), Scene(20.0, 24.0)]
    assert [clip.start for clip in cut_clips(24.0, scenes, 8.0)] == pytest.approx([0.0, 9.5, 16.0])


def test_an_empty_video_has_no_clips() -> None:
    assert cut_clips(0.0, [], 8.0) == ()
