"""Vectors of frames: they survive storage, and tell what is alike, near, and near to words."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter

from silvr_cli.likeness import (
    Likeness,
    hints,
    joined,
    nearest,
    neighbours,
    pack,
    standing,
    unpack,
)
from silvr_cli.records import FrameVectors, Line

ROWS = arrays(
    np.float32,
    st.tuples(st.integers(0, 6), st.integers(1, 9)),
    elements=st.floats(-1, 1, width=16),
)
TIMES = st.lists(st.integers(0, 40), unique=True).map(sorted)


def vectors(*angles: float, times: list[float] | None = None) -> FrameVectors:
    """Frames a second apart, each a direction in the plane, in degrees."""
    turned = np.radians(angles)
    rows = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    return pack(times or [float(i) for i in range(len(angles))], rows.reshape(-1, 2))


@given(rows=ROWS, cut=st.integers(0, 6))
def test_they_go_through_the_cache_unchanged(rows: np.ndarray, cut: int) -> None:
    made = pack([i / 3 for i in range(len(rows))], rows)
    adapter = TypeAdapter(FrameVectors)
    stored = json.loads(json.dumps(adapter.dump_python(made, mode="json")))
    assert adapter.validate_python(stored) == made
    parts = [pack(made.times[:cut], rows[:cut]), pack(made.times[cut:], rows[cut:])]
    together = joined([part for part in parts if part.times])
    assert together == (made if made.times else FrameVectors())


@given(rows=ROWS)
def test_they_come_back_as_rows_of_unit_length(rows: np.ndarray) -> None:
    back = unpack(pack(range(len(rows)), rows))
    assert (back.dtype, back.shape) == (np.dtype(np.float32), rows.shape)
    lengths = np.linalg.norm(rows, axis=1)
    for row, unit, length in zip(rows, back, lengths, strict=True):
        assert np.allclose(unit * length, row, atol=1e-3)


def test_half_precision_takes_two_bytes_a_number() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 512)).astype(np.float32)
    assert len(json.dumps(asdict(pack(range(100), rows)))) < 100 * 512 * 2 * 1.4


def test_no_frames_are_no_rows() -> None:
    assert unpack(FrameVectors()).shape == (0, 0)
    assert joined([]) == FrameVectors()
    assert len(neighbours(FrameVectors())) == len(neighbours(vectors(10))) == 0


def test_neighbours_are_compared_in_pairs() -> None:
    assert neighbours(vectors(0, 60, 60)) == pytest.approx([0.5, 1.0], abs=1e-3)


@given(times=TIMES, start=st.integers(0, 40), length=st.integers(0, 20))
def test_a_span_has_a_frame_whenever_there_is_one(
    times: list[int], start: int, length: int
) -> None:
    first, last = standing(times, start, start + length)
    inside = [i for i, time in enumerate(times) if start <= time < start + length]
    assert 0 <= first <= last <= len(times)
    assert (first < last) == bool(times)
    assert set(inside) <= set(range(first, last)), "what is shown in the span belongs to it"
    assert last - first <= len(inside) + 1, "and at most the frame that stood before"


def test_what_stood_before_belongs_to_a_span_until_the_picture_changes() -> None:
    times = [0.0, 10.0, 11.0]
    assert standing(times, 4.0, 8.0) == (0, 1)
    assert standing(times, 4.0, 11.0) == (0, 2)
    assert standing(times, 9.5, 12.0) == (1, 3), "a cut shows in the first frame after it"


def test_a_span_is_still_when_all_its_frames_are_alike() -> None:
    likeness = Likeness(vectors(0, 2, 4, 40, 41), 0.99)
    assert likeness.still(0.0, 3.0)
    assert not likeness.still(0.0, 4.0)
    assert likeness.still(3.0, 60.0)
    assert not Likeness(FrameVectors(), 0.5).still(0.0, 9.0), "nobody has looked"


def test_a_picture_that_drifts_is_not_still() -> None:
    assert not Likeness(vectors(*range(0, 60, 3)), 0.99).still(0.0, 20.0)


def test_frames_like_the_one_before_are_not_distinct() -> None:
    likeness = Likeness(vectors(0, 2, 40, 0, 1), 0.99)
    assert likeness.distinct([0.0, 1.0, 2.0, 3.0, 4.0]) == [0, 2, 3]
    assert likeness.distinct([0.0, 0.5, 1.0]) == [0, 1, 2], "a frame without a vector is kept"


def speech(start: float, end: float) -> Line:
    return Line(start, end, "speech", "words")


def test_lines_get_the_best_of_the_frames_in_their_span() -> None:
    found = hints(
        np.array([1, 0], np.float32),
        vectors(90, 60, 0, 90, times=[0.0, 4.0, 8.0, 12.0]),
        [speech(0, 3), speech(0, 7), speech(5, 12), speech(8, 9), speech(50, 60)],
    )
    # cosines 0, 0.5, 1, 0: their mean is 0.375
    assert found == pytest.approx([0.0, 0.2, 1.0, 1.0, 0.0], abs=1e-2)


@given(
    angles=st.lists(st.integers(0, 180), max_size=8),
    spans=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5),
)
def test_hints_are_shares_one_a_line(angles: list[int], spans: list[tuple[int, int]]) -> None:
    lines = [speech(start, start + length) for start, length in spans]
    found = hints(np.array([1, 0], np.float32), vectors(*angles), lines)
    assert len(found) == len(lines)
    assert all(0 <= each <= 1 for each in found)


def test_pictures_that_are_all_one_give_no_hint() -> None:
    assert hints(np.array([1, 0], np.float32), vectors(30, 30), [speech(0, 9)]) == [0.0]


@given(
    library=st.lists(st.lists(st.integers(0, 180), max_size=6), max_size=4), top=st.integers(1, 8)
)
def test_the_nearest_of_all_videos_are_found(library: list[list[int]], top: int) -> None:
    query = np.array([1, 0], np.float32)
    found = nearest(query, [(str(i), vectors(*each)) for i, each in enumerate(library)], top)
    cosines = sorted((np.cos(np.radians(a)) for each in library for a in each), reverse=True)
    assert [near.score for near in found] == pytest.approx(cosines[:top], abs=2e-3)


def test_hits_of_one_video_stand_apart() -> None:
    query = np.array([1, 0], np.float32)
    library = [("a", vectors(2, 0, 1, 30)), ("b", vectors(10))]
    found = nearest(query, library, 3, apart=2.0)
    assert [(near.video, near.time) for near in found] == [("a", 1.0), ("b", 0.0), ("a", 3.0)]
