"""Speech: windows in chunks, pieces kept, loops cut; the real model on real sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Desk

from silvr_cli.configuration import load
from silvr_cli.media.footage import Sound
from silvr_cli.protocols import SAMPLE_RATE, Window
from silvr_cli.records import Line
from silvr_cli.settings import Speech
from silvr_cli.stages.speech import transcribe


class Script:
    """A SpeechModel that hears a word a loud second."""

    name, slots = "script", 1

    def __init__(self, text: str = "") -> None:
        self.text, self.heard = text, 0

    def fingerprint(self) -> str:
        return "script"

    def windows(self, sound: np.ndarray) -> Sequence[Window]:
        seconds = len(sound) // SAMPLE_RATE
        loud = np.abs(sound[: seconds * SAMPLE_RATE]).reshape(seconds, -1).max(axis=1)
        return [Window(float(s), s + 1.0) for s, level in enumerate(loud) if level > 0.1]

    def transcribe(self, sound: np.ndarray, language: str | None) -> Sequence[Line]:
        self.heard += 1
        text = self.text or f"level {sound.max():.1f} {language}"
        return [Line(0.0, 1.0, "speech", text, None, self.name)]

    def detect_language(self, sound: np.ndarray) -> str:
        return "fr"


def sound(levels: dict[int, float], seconds: int) -> Sound:
    samples = np.zeros(seconds * SAMPLE_RATE, np.int16)
    for second, level in levels.items():
        samples[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE] = int(level * 32000)
    return Sound(samples)


def test_windows_of_a_long_sound_come_out_with_their_times(desk: Desk) -> None:
    heard = transcribe(sound({3: 0.5, 700: 0.9}, 1300), Script(), Speech(), desk)
    assert [(n.start, n.text) for n in heard] == [(3.0, "level 0.5 fr"), (700.0, "level 0.9 fr")]
    assert desk.notes == ["speech: taken for fr; --language names another"]
    assert desk.reports[-1] == (1300.0, 1300.0)


def test_a_given_language_is_not_detected(desk: Desk) -> None:
    heard = transcribe(sound({1: 0.5}, 5), Script(), Speech(language="de"), desk)
    assert heard[0].text.endswith("de")
    assert desk.notes == []


def test_silence_is_not_asked_about(desk: Desk) -> None:
    model = Script()
    assert transcribe(sound({}, 30), model, Speech(), desk) == ()
    assert model.heard == 0
    assert desk.notes == ["nobody is heard speaking"]


def test_finished_windows_are_not_heard_again(desk: Desk) -> None:
    clip = sound({1: 0.5, 4: 0.7}, 8)
    first = transcribe(clip, Script(), Speech(), desk)
    again = Script()
    assert transcribe(clip, again, Speech(), desk) == first
    assert again.heard == 0


def test_a_loop_is_cut_to_two(desk: Desk) -> None:
    heard = transcribe(sound(dict.fromkeys(range(6), 0.5), 8), Script("Thank you."), Speech(), desk)
    assert len(heard) == 2


@pytest.fixture(scope="module")
def whisper():
    from silvr_cli.backends import speech_model

    def make():
        return speech_model("whisper/base", load().settings)

    return make


@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("media/jfk.flac", ["ask not what your country"]),
        ("media/torchcodec_nasa_13013.mp4", ["goddard", "greenbelt"]),
        ("odd/audio_starts_3s_late.mp4", ["harbour master|harbor master"]),
        ("odd/white_noise_audio.mp4", []),
        ("odd/silent_audio_track.mp4", []),
        ("media/gcp_forbiggerescapes.mp4", []),
    ],
)
def test_whisper_hears_what_is_said_and_invents_nothing(
    shared: Path, whisper, desk: Desk, name: str, words: list[str]
) -> None:
    from silvr_cli.media.decode import Projector
    from silvr_cli.media.probe import probe
    from silvr_cli.settings import Media

    with Projector(probe(shared / name), Media()) as projector:
        heard = projector.footage().sound
        lines = transcribe(heard, whisper(), Speech(), desk) if heard else ()
    text = " ".join(line.text for line in lines).casefold()
    assert all(any(w in text for w in either.split("|")) for either in words), text
    assert bool(words) == bool(lines), text
    if name.endswith("3s_late.mp4"):
        assert lines[0].start == pytest.approx(3.0, abs=0.8)
