"""One suite for every TextReader, and what RapidOCR reads of pictures with known text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from silvr_cli import backends
from silvr_cli.backends import rapidocr
from silvr_cli.configuration import load
from silvr_cli.errors import ModelError
from silvr_cli.protocols import TextReader

READERS = ["fake", pytest.param("rapidocr", marks=pytest.mark.models)]


@cache
def opened(spec: str) -> TextReader:
    return backends.text_reader(spec, load().settings)


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> TextReader:
    return opened(request.param)


def painted(
    *texts: tuple[str, int, int], size: tuple[int, int] = (360, 640), scale: float = 1.0
) -> np.ndarray:
    """A dark picture with white `(text, x, y)` on it."""
    picture = np.full((*size, 3), 30, np.uint8)
    for text, x, y in texts:
        cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (255,) * 3, 2)
    return picture


def test_it_has_a_name_slots_and_a_steady_fingerprint(reader: TextReader) -> None:
    assert reader.name
    assert reader.slots >= 1
    assert reader.fingerprint() == reader.fingerprint() != ""


def test_boxes_hold_text_a_score_and_places_within_the_picture(reader: TextReader) -> None:
    boxes = reader.read(painted(("Platform 12", 40, 100), ("Exit", 560, 350)))
    assert boxes
    for box in boxes:
        assert box.text.strip()
        assert 0 <= box.score <= 1
        assert 0 <= box.left < box.right <= 1
        assert 0 <= box.top < box.bottom <= 1


def test_the_same_picture_reads_the_same(reader: TextReader) -> None:
    picture = painted(("Platform 12", 40, 100))
    assert reader.read(picture) == reader.read(picture)


def test_the_picture_is_left_as_it_was(reader: TextReader) -> None:
    picture = painted(("Platform 12", 40, 100))
    before = picture.copy()
    reader.read(picture)
    assert np.array_equal(picture, before)


SHAPES = [(1, 1), (1, 4000), (4000, 1), (16, 16), (16, 4096), (64, 4096), (1280, 40), (97, 17)]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_can_be_read(reader: TextReader, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    assert all(box.text for box in reader.read(noise))


@pytest.fixture
def ocr() -> TextReader:
    return opened("rapidocr")


@pytest.mark.models
def test_a_table_is_read_row_by_row(ocr: TextReader) -> None:
    table = painted(
        *(("Platform 12", 420, 112), ("16:34", 30, 110), ("Lisbon", 180, 108)),
        *(("Platform 8", 420, 170), ("20:38", 30, 168), ("Dublin", 180, 172)),
        ("Departures", 30, 50),
    )
    assert [box.text for box in ocr.read(table)] == [
        "Departures",
        *("16:34", "Lisbon", "Platform 12"),
        *("20:38", "Dublin", "Platform 8"),
    ]


@pytest.mark.models
@pytest.mark.parametrize(
    ("size", "place"), [((64, 2048), (60, 44)), ((2048, 256), (30, 1944)), ((640, 360), (40, 300))]
)
def test_text_on_thin_and_tall_pictures_is_found_where_it_is(
    ocr: TextReader, size: tuple[int, int], place: tuple[int, int]
) -> None:
    (box,) = ocr.read(painted(("Exit 7", *place), size=size))
    assert box.text.replace(" ", "") == "Exit7"
    assert box.left * size[1] == pytest.approx(place[0], abs=15)
    assert box.bottom * size[0] == pytest.approx(place[1], abs=25)


@pytest.mark.models
def test_small_print_on_a_large_picture_is_read(ocr: TextReader) -> None:
    page = painted(("Why is this video funny", 200, 300), size=(720, 1280), scale=0.55)
    assert [box.text.replace(" ", "") for box in ocr.read(page)] == ["Whyisthisvideofunny"]


@pytest.mark.models
def test_a_plain_picture_holds_no_text(ocr: TextReader) -> None:
    assert list(ocr.read(painted())) == []


def test_missing_models_are_told_and_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rapidocr as package

    monkeypatch.setattr(package, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(ModelError, match="holds no det model"):
        rapidocr.RapidOcr().read(painted(("Exit 7", 40, 100)))
