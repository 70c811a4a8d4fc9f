"""What every ImageEmbedder must do, run against every one that is here."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from silvr_cli import backends
from silvr_cli.settings import load

MODELS = ["fake", pytest.param("openclip", marks=pytest.mark.extras)]
TEXTS = ["the last bus leaves at ten", "a dog in the rain", "", "café 🎈", "word " * 300]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1].tobytes())


@cache
def opened(spec: str) -> Any:
    return backends.embedder(spec, load().settings)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    if request.param == "openclip":
        return opened(f"openclip/{request.getfixturevalue('coca')}")
    return opened(request.param)


def is_unit(rows: np.ndarray) -> bool:
    return bool(np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5))


def test_it_has_a_name_slots_and_a_cheap_fingerprint(model: Any) -> None:
    assert model.slots >= 1
    assert model.fingerprint().startswith(model.name)
    assert model.fingerprint() == model.fingerprint()


def test_texts_and_pictures_become_rows_of_unit_length_and_one_width(model: Any) -> None:
    texts, pictures = model.embed(TEXTS), model.embed_images([picture(0), picture(1)])
    assert texts.dtype == pictures.dtype == np.float32
    assert texts.shape == (len(TEXTS), pictures.shape[1])
    assert len(pictures) == 2
    assert is_unit(texts)
    assert is_unit(pictures)


def test_nothing_is_no_rows_of_the_same_width(model: Any) -> None:
    width = model.embed(["one"]).shape[1]
    assert model.embed([]).shape == model.embed_images([]).shape == (0, width)


def test_a_row_depends_on_its_own_text_or_picture_only(model: Any) -> None:
    together = model.embed(TEXTS * 5)
    assert np.allclose(together[-4], model.embed(TEXTS[1:2])[0], atol=1e-5)
    pictures = [picture(seed) for seed in range(20)]
    rows = model.embed_images(pictures)
    assert np.allclose(rows[18], model.embed_images(pictures[18:19])[0], atol=1e-5)


def test_the_same_comes_out_the_same_and_other_words_differ(model: Any) -> None:
    first, again = model.embed(TEXTS[:2]), model.embed(TEXTS[:2])
    assert np.array_equal(first, again)
    assert not np.allclose(first[0], first[1])


def test_the_fake_puts_texts_with_shared_words_near_each_other() -> None:
    bus, late, dog = opened("fake").embed(["the last bus", "last bus home", "wet dogs bark"])
    assert bus @ late > bus @ dog
