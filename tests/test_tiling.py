"""Tiling: texts that change their words fall apart where they do."""

from __future__ import annotations

import numpy as np
import pytest

from silvr_cli.tiling import block_similarity, falls, tile_cuts, word_vectors

BEES = ["The bees fill the hive.", "A hive holds many bees.", "Honey bees leave the hive."]
SHIPS = ["Ships enter the harbour.", "The harbour holds many ships.", "Ships leave the harbour."]


def test_the_turn_of_topic_is_the_deepest_valley() -> None:
    alike = block_similarity(word_vectors([*BEES, *SHIPS, *BEES]), 3)
    assert [index for index, _ in tile_cuts(alike, 0.5)] == [2, 5]


def test_a_fall_tells_its_share_of_the_peaks_around_it() -> None:
    assert falls(np.array([0.8, 0.8, 0.0, 0.6, 0.3, 0.6])) == [
        (2, 1.0),
        (4, pytest.approx(0.5)),
    ]
    assert falls(np.zeros(0)) == []
    assert all(share == 0 for _, share in falls(np.zeros(5)))


def test_vectors_have_unit_length_or_none() -> None:
    norms = np.linalg.norm(word_vectors([*BEES, "Quite alone."]), axis=1)
    assert np.allclose(norms[:3], 1.0)
    assert norms[3] == 0.0


def test_no_text_and_one_text_have_no_gaps() -> None:
    assert len(block_similarity(word_vectors([]), 3)) == 0
    assert len(block_similarity(word_vectors(["alone"]), 3)) == 0
