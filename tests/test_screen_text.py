"""On-screen text: read where the picture differs, told once while it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Desk

from silvr_cli.media.footage import Frame
from silvr_cli.protocols import TextBox
from silvr_cli.settings import ScreenText
from silvr_cli.stages.screen_text import read_screen


class Script:
    """A TextReader that reads what the picture's brightness stands for, and counts."""

    name, slots = "script", 1

    def __init__(self, texts: dict[int, list[TextBox]]) -> None:
        self.texts, self.reads = texts, 0

    def fingerprint(self) -> str:
        return "script"

    def read(self, image: np.ndarray) -> Sequence[TextBox]:
        self.reads += 1
        return self.texts.get(round(float(image.mean()) / 10) * 10, [])


def row(text: str, top: float = 0.1, left: float = 0.1, score: float = 0.9) -> TextBox:
    return TextBox(text, score, left, top, left + 0.2, top + 0.1)


@pytest.fixture
def frames(tmp_path: Path):
    def make(*brightness: int) -> list[Frame]:
        made = []
        for second, value in enumerate(brightness):
            data = cv2.imencode(".png", np.full((90, 160, 3), value, np.uint8))[1].tobytes()
            path = tmp_path / f"{second}.png"
            path.write_bytes(data)
            made.append(Frame(float(second), path, 0, len(data)))
        return made

    return make


def test_a_text_is_one_line_while_it_stands(frames, desk: Desk) -> None:
    reader = Script({50: [row("Room 12"), row("Bus at 9", top=0.3)], 100: [row("The end")]})
    lines = read_screen(frames(0, 50, 50, 50, 100, 0), 7.0, reader, ScreenText(), desk)
    assert [(n.start, n.end, n.kind, n.text) for n in lines] == [
        (1.0, 4.0, "screen", "Room 12 / Bus at 9"),
        (4.0, 5.0, "screen", "The end"),
    ]
    assert reader.reads == 4


def test_readings_that_flicker_are_one_text_but_other_digits_are_another(
    frames, desk: Desk
) -> None:
    flicker = {
        50: [row("Welcome home")],
        100: [row("Welcomehorne")],
        150: [row("Gate 7")],
        200: [row("Gate 8")],
    }
    lines = read_screen(frames(50, 100, 150, 200), 4.0, Script(flicker), ScreenText(), desk)
    assert [(n.start, n.end, n.text) for n in lines] == [
        (0.0, 2.0, "Welcome home"),
        (2.0, 3.0, "Gate 7"),
        (3.0, 4.0, "Gate 8"),
    ]


def test_boxes_at_one_height_are_one_row_from_left_to_right(frames, desk: Desk) -> None:
    boxes = [row("Lisbon", left=0.4), row("16:34", left=0.1), row("Board", top=0.0, left=0.1)]
    (line,) = read_screen(frames(50), 1.0, Script({50: boxes}), ScreenText(), desk)
    assert line.text == "Board / 16:34 Lisbon"


def test_doubtful_and_meaningless_readings_are_dropped(frames, desk: Desk) -> None:
    boxes = [row("blurry", score=0.3), row("|"), row("x")]
    assert read_screen(frames(50), 1.0, Script({50: boxes}), ScreenText(), desk) == ()


def test_what_was_read_before_is_not_read_again(frames, desk: Desk) -> None:
    texts = {50: [row("One two")], 100: [row("Three four")]}
    first = read_screen(frames(50, 100), 2.0, Script(texts), ScreenText(), desk)
    again = Script({})
    assert read_screen(frames(50, 100), 2.0, again, ScreenText(), desk) == first
    assert again.reads == 0


def test_a_reading_missed_for_a_moment_does_not_end_a_text(frames, desk: Desk) -> None:
    texts = {50: [row("Room 12")], 100: [], 150: [row("Room 12")]}
    lines = read_screen(
        frames(50, 100, 150, 0, 0, 0, 0, 50), 8.0, Script(texts), ScreenText(), desk
    )
    assert [(n.start, n.end) for n in lines] == [(0.0, 3.0), (7.0, 8.0)]


def test_one_letter_counts_only_beside_a_word(frames, desk: Desk) -> None:
    boxes = [row("Lakers"), row("3", left=0.5, score=0.99), row("PS", top=0.5, score=0.7)]
    (line,) = read_screen(frames(50), 1.0, Script({50: boxes}), ScreenText(), desk)
    assert line.text == "Lakers 3"


def test_a_full_page_is_read_less_often_but_its_last_state_always(frames, desk: Desk) -> None:
    page = [row(f"entry {i}", top=i / 50) for i in range(35)]
    reader = Script({50: page, 100: page, 150: page, 200: [row("The end")]})
    lines = read_screen(frames(50, 100, 150, 200), 9.0, reader, ScreenText(), desk)
    assert reader.reads < 4
    assert lines[-1].text == "The end"


@pytest.mark.models
def test_rapidocr_reads_a_slide() -> None:
    from silvr_cli.backends.rapidocr import RapidOcr

    picture = np.full((360, 640, 3), 30, np.uint8)
    cv2.putText(picture, "Platform 12", (60, 180), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
    (box,) = RapidOcr().read(picture)
    assert box.text.replace(" ", "") == "Platform12"
    assert 0 <= box.left < box.right <= 1


@pytest.mark.models
@pytest.mark.parametrize("shape", [(16, 16), (64, 4096), (1, 200), (90, 160)])
def test_rapidocr_takes_any_shape(shape: tuple[int, int]) -> None:
    from silvr_cli.backends.rapidocr import RapidOcr

    assert list(RapidOcr().read(np.zeros((*shape, 3), np.uint8))) == []
