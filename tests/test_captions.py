"""Embedded captions tell what changes and nothing else."""

from __future__ import annotations

import numpy as np

from silvr_cli.media.footage import Thumbs
from silvr_cli.records import Line
from silvr_cli.settings import Captions, Scenes
from silvr_cli.stages.captions import tell_changes
from silvr_cli.stages.clips import cut_clips
from silvr_cli.stages.scenes import find_scenes

RATE = 5


def told(pixels: np.ndarray) -> tuple[Line, ...]:
    thumbs = Thumbs(np.arange(len(pixels)) / RATE, pixels.astype(np.uint8))
    duration = len(pixels) / RATE
    scenes = find_scenes(thumbs, duration, Scenes())
    return tell_changes(cut_clips(duration, scenes, 8.0), scenes, thumbs, Captions())


def still(colour: tuple[int, int, int], seconds: int) -> np.ndarray:
    return np.full((RATE * seconds, 27, 48, 3), colour)


def test_black_is_told_once_for_the_whole_stretch() -> None:
    (line,) = told(still((2, 2, 2), 40))
    assert (line.start, line.end, line.text) == (0.0, 40.0, "black picture")
    assert (line.kind, line.source, line.level) == ("caption", "embedded", 8.0)


def test_a_still_is_told_once() -> None:
    (line,) = told(still((200, 40, 40), 24))
    assert line.text == "still picture"


def test_a_cut_and_a_picture_seen_before_are_told_with_their_times() -> None:
    first = still((20, 30, 90), 8)
    first[:, 5:20, 5:20] = (250, 250, 0)
    lines = told(np.concatenate([first, still((180, 160, 20), 8), first]))
    assert "new picture at 0:08" in lines[1].text
    assert "same picture as at 0:00" in lines[2].text


def test_strong_motion_and_black_and_white() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (RATE * 8, 27, 48, 1))
    (line,) = told(np.repeat(noise, 3, axis=3))
    assert "motion" in line.text
    assert "black and white" in line.text


def test_no_pictures_no_captions() -> None:
    assert told(np.zeros((0, 27, 48, 3))) == ()
