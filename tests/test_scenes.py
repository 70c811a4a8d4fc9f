"""Scenes from thumbnails: every method covers the video, and cuts where the picture changes."""

from __future__ import annotations

import numpy as np
import pytest

from silvr_cli.likeness import pack
from silvr_cli.media.footage import Thumbs
from silvr_cli.settings import Scenes
from silvr_cli.stages.scenes import find_scenes
from silvr_cli.tiling import tile_cuts

RATE = 5


def shots(*colours: tuple[int, int, int], seconds: int = 6) -> Thumbs:
    noise = np.random.default_rng(1).integers(0, 6, (RATE * seconds * len(colours), 27, 48, 3))
    pixels = np.repeat(np.array(colours, np.uint8), RATE * seconds, axis=0)[:, None, None, :]
    return Thumbs(np.arange(len(noise)) / RATE, (pixels + noise).astype(np.uint8))


@pytest.mark.parametrize("method", ["adaptive", "content", "tile"])
def test_cuts_stand_where_the_picture_changes(method: str) -> None:
    thumbs = shots((20, 30, 90), (180, 160, 20), (30, 140, 60))
    scenes = find_scenes(thumbs, 18.0, Scenes(method=method))
    assert [scene.start for scene in scenes] == pytest.approx([0.0, 6.0, 12.0], abs=0.21)
    assert scenes[-1].end == 18.0
    assert all(scene.score > 0.1 for scene in scenes[1:])


@pytest.mark.parametrize("method", ["adaptive", "content"])
def test_a_slow_zoom_is_no_cut(method: str) -> None:
    down, across = np.mgrid[0:27, 0:48]
    grey = [128 + 60 * np.sin((across + down) / (9 + i / 20)) for i in range(100)]
    pixels = np.stack([np.stack([g, g * 0.8, g * 0.6], axis=2) for g in grey])
    ramp = Thumbs(np.arange(100) / RATE, pixels.astype(np.uint8))
    assert len(find_scenes(ramp, 20.0, Scenes(method=method))) == 1


def test_uniform_scenes_need_no_picture_change() -> None:
    scenes = find_scenes(
        shots((9, 9, 9), seconds=10), 10.0, Scenes(method="uniform", uniform_length=4.0)
    )
    assert [(s.start, s.end) for s in scenes] == [(0.0, 4.0), (4.0, 8.0), (8.0, 10.0)]


def test_min_length_joins_short_scenes() -> None:
    thumbs = shots((20, 30, 90), (180, 160, 20), (30, 140, 60), seconds=2)
    assert len(find_scenes(thumbs, 6.0, Scenes(min_length=3.0))) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_hardly_any_pictures_are_one_scene(count: int) -> None:
    thumbs = Thumbs(np.arange(count) / RATE, np.zeros((count, 27, 48, 3), np.uint8))
    (scene,) = find_scenes(thumbs, 1.0, Scenes())
    assert (scene.start, scene.end) == (0.0, 1.0)


def test_no_pictures_no_scenes() -> None:
    assert find_scenes(Thumbs(np.zeros(0), np.zeros((0, 27, 48, 3), np.uint8)), 9.0, Scenes()) == ()


def test_tiling_goes_by_vectors_where_there_are_any() -> None:
    thumbs = shots((20, 30, 90), (180, 160, 20), (30, 140, 60))
    rows = np.repeat(np.eye(2, dtype=np.float32), (4, 6), axis=0)
    vectors = pack([0.0, 2.0, 5.0, 7.0, 9.0, 11.0, 13.0, 14.0, 15.0, 17.0], rows)
    scenes = find_scenes(thumbs, 18.0, Scenes(method="tile"), vectors)
    assert [scene.start for scene in scenes] == [0.0, 9.0], "what is shown changes, not its colour"
    assert len(find_scenes(thumbs, 18.0, Scenes(), vectors)) == 3
    assert len(find_scenes(thumbs, 18.0, Scenes(method="tile"), pack([0.0], rows[:1]))) == 1


def test_tiling_cuts_in_the_deepest_valley() -> None:
    similarity = np.array([0.9, 0.95, 0.92, 0.2, 0.94, 0.9, 0.85, 0.93])
    assert [index for index, _ in tile_cuts(similarity, 1.0)] == [3]
    assert tile_cuts(np.zeros(0), 1.0) == []
    assert tile_cuts(np.ones(9), 1.0) == []
