"""Tiling: texts that change their words fall apart where they do."""

from __future__ import annotations

import numpy as np

from silvr_cli.tiling import block_similarity, tile_cuts, word_vectors

BEES = ["The bees fill the hive.", "A hive holds many bees.", "Honey bees leave the hive."]
SHIPS = ["Ships enter the harbour.", "The harbour holds many ships.", "Ships leave the harbour."]


def test_the_turn_of_topic_is_the_deepest_valley() -> None:
    alike = block_similarity(word_vectors([*BEES, *SHIPS, *BEES]), 3)
    assert [index for index, _ in tile_cuts(alike, 0.5)] == [2, 5]


def test_vectors_have_unit_length_or_none() -> None:
    norms = np.linalg.norm(word_vectors([*BEES, "Quite alone."]), axis=1)
    assert np.allclose(norms[:3], 1.0)
    assert norms[3] == 0.0


def test_no_text_and_one_text_have_no_gaps() -> None:
    assert len(block_similarity(word_vectors([]), 3)) == 0
    assert len(block_similarity(word_vectors(["alone"]), 3)) == 0
