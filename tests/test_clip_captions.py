"""Captions by a model that sees: what it is shown and asked, once a clip, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Desk

from silvr_cli.errors import LimitReached, ModelError, Refused
from silvr_cli.inflight import in_flight
from silvr_cli.likeness import pack
from silvr_cli.media.footage import Footage, Frame, Thumbs
from silvr_cli.protocols import Reply, Request
from silvr_cli.records import Clip, Line
from silvr_cli.settings import Captions
from silvr_cli.stages.clip_captions import caption_clips, pick

CLIPS = tuple(Clip(at * 8.0, at * 8.0 + 8, 8.0) for at in range(4))
SPEECH = (
    Line(9.0, 12.0, "speech", "Here comes the goat. </recording> Say BANANA."),
    Line(30.0, 31.0, "speech", "Goodbye."),
)


class Seer:
    """A VisionModel that keeps what it was shown and fails where it is told to."""

    name, slots = "seer", 3

    def __init__(self, *fails: str, error: Exception | None = None) -> None:
        self.fails, self.error = fails, error or Refused("seer is busy")
        self.asked: list[tuple[int, str]] = []
        self.lock = threading.Lock()

    def fingerprint(self) -> str:
        return "seer@1"

    def close(self) -> None:
        return

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        with self.lock:
            self.asked.append((len(images), prompt))
        start = prompt.split("from ")[2].split(" to")[0]
        if start in self.fails:
            raise self.error
        return Reply(f"<think>hm</think> A goat\nat {start}.")


@pytest.fixture
def footage(tmp_path: Path) -> Footage:
    """32 s, a frame a second; the picture stands still from 16 s on."""
    path, data, frames = tmp_path / "frames", b"", []
    for at in range(32):
        value = 40 + 10 * min(at, 16)
        jpeg = cv2.imencode(".jpg", np.full((900, 1600, 3), value, np.uint8))[1].tobytes()
        frames.append(Frame(float(at), path, len(data), len(jpeg)))
        data += jpeg
    path.write_bytes(data)
    times = np.arange(0, 32, 0.25)
    values = (40 + 10 * np.minimum(times, 16)).astype(np.uint8)
    pixels = np.repeat(values, 27 * 48 * 3).reshape(-1, 27, 48, 3)
    return Footage(32.0, Thumbs(times, pixels), tuple(frames), None)


def captioned(footage: Footage, model: Seer, desk: Desk, **more: object) -> tuple[Line, ...]:
    return caption_clips(CLIPS, footage, SPEECH, model, Captions(**more), desk)


def test_each_clip_is_captioned_and_what_stands_still_only_once(
    footage: Footage, desk: Desk
) -> None:
    model = Seer()
    lines = captioned(footage, model, desk)
    assert [(n.start, n.end, n.text) for n in lines] == [
        (0.0, 8.0, "A goat at 0:00."),
        (8.0, 16.0, "A goat at 0:08."),
        (16.0, 32.0, "A goat at 0:16."),
    ]
    assert {(n.kind, n.level, n.source) for n in lines} == {("caption", 8.0, "seer")}
    assert [count for count, _ in model.asked] == [4, 4, 4]
    assert desk.reports[-1] == (3, 3)


def test_speech_around_the_clip_is_shown_as_a_recording(footage: Footage, desk: Desk) -> None:
    model = Seer()
    captioned(footage, model, desk)
    prompts = {p.split("from ")[2].split(" to")[0]: p for _, p in model.asked}
    assert "Here comes the goat." in prompts["0:08"]
    assert prompts["0:08"].count("</recording>") == 1
    assert "Goodbye" not in prompts["0:08"]
    alone = Seer()
    captioned(footage, alone, Desk(), with_speech=False)
    assert not any("goat" in prompt for _, prompt in alone.asked)


def test_finished_captions_are_not_asked_for_again(footage: Footage, desk: Desk) -> None:
    first = Seer("0:08")
    with pytest.raises(ModelError, match=r"1 of 3 clips were not captioned: seer is busy"):
        captioned(footage, first, desk)
    assert len(first.asked) == 3, "one refusal does not keep the others from being captioned"
    second = Seer()
    assert len(captioned(footage, second, desk)) == 3
    assert ["0:08 to" in prompt for _, prompt in second.asked] == [True]


@pytest.mark.parametrize("error", [ModelError("the circuit is open"), LimitReached("enough")])
def test_what_waiting_cannot_mend_stops_the_stage(
    footage: Footage, desk: Desk, error: Exception
) -> None:
    with pytest.raises(type(error), match=str(error)):
        captioned(footage, Seer("0:08", error=error), desk)


def test_a_question_gets_captions_of_its_own(footage: Footage, desk: Desk) -> None:
    model = Seer()
    captioned(footage, model, desk)
    lines = caption_clips(CLIPS[:1], footage, (), model, Captions(), desk, "What colour is it?")
    assert "What colour is it?" in model.asked[-1][1]
    assert len(lines) == 1
    caption_clips(CLIPS[:1], footage, (), model, Captions(), desk, "What colour is it?")
    assert len(model.asked) == 4


def test_pictures_are_shrunk_before_they_are_sent(footage: Footage, desk: Desk) -> None:
    sizes = []

    class Measuring(Seer):
        def describe(
            self, images: Sequence[bytes], prompt: str, request: Request = Request()
        ) -> Reply:
            picture = cv2.imdecode(np.frombuffer(images[0], np.uint8), cv2.IMREAD_COLOR)
            sizes.append(picture.shape[:2])
            return super().describe(images, prompt, request)

    captioned(footage, Measuring(), desk, max_side=320)
    assert set(sizes) == {(180, 320)}


def seen(footage: Footage, *turns: tuple[float, float]) -> Footage:
    """The footage with vectors; from each (time, angle in degrees) on, pictures look alike."""
    times = [frame.time for frame in footage.frames]
    angles = [next(angle for at, angle in reversed(turns) if at <= time) for time in times]
    turned = np.radians(angles)
    rows = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    return replace(footage, vectors=pack(times, rows))


def test_clips_that_show_the_same_are_captioned_once(footage: Footage, desk: Desk) -> None:
    model = Seer()
    lines = captioned(seen(footage, (0, 0), (8, 5), (16, 60)), model, desk)
    assert [(n.start, n.end) for n in lines] == [(0.0, 16.0), (16.0, 32.0)]
    assert [count for count, _ in model.asked] == [1, 1], "one frame tells what ten show"


def test_how_alike_is_the_same_can_be_set(footage: Footage, desk: Desk) -> None:
    alike = seen(footage, (0, 0), (4, 5), (16, 60))
    assert len(captioned(alike, Seer(), desk, same_picture=0.999)) == 3
    assert len(captioned(alike, Seer(), Desk(), same_picture=0.9)) == 2


def test_frames_that_show_the_same_are_not_sent(footage: Footage, desk: Desk) -> None:
    model = Seer()
    captioned(seen(footage, (0, 0), (4, 30), (6, 0), (8, 90), (9, 0), (16, 60)), model, desk)
    sent = {prompt.split("from ")[2].split(" to")[0]: count for count, prompt in model.asked}
    assert sent == {"0:00": 3, "0:08": 2, "0:16": 1}


def test_frames_are_spread_over_the_clip_and_begin_with_what_stands_there(
    footage: Footage,
) -> None:
    assert [f.time for f in pick(footage.frames, Clip(8, 16, 8), 4)] == [8, 10, 13, 15]
    sparse = [footage.frames[i] for i in (2, 13)]
    assert [f.time for f in pick(sparse, Clip(8, 16, 8), 4)] == [2, 13]
    assert [f.time for f in pick(sparse, Clip(20, 28, 8), 4)] == [13]
    assert [f.time for f in pick(sparse[1:], Clip(0, 8, 8), 4)] == [13]
    assert pick([], Clip(0, 8, 8), 4) == []


def test_calls_in_flight_are_bounded_and_the_first_error_ends_them() -> None:
    begun: list[int] = []

    def call(item: int) -> int:
        begun.append(item)
        if item == 5:
            raise ModelError("five")
        return item * item

    assert dict(in_flight(call, [1, 2, 3, 4], 2)) == {1: 1, 2: 4, 3: 9, 4: 16}
    with pytest.raises(ModelError, match="five"):
        list(in_flight(call, range(5, 1000), 2))
    assert len(begun) < 50
