"""A few of the soak's broken inputs, and what the five hundred of tests/soak/fuzz.py once found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from scripted import Scripted

from silvr_cli import pipeline, replies
from silvr_cli.configuration import load
from silvr_cli.errors import InputError, SettingsError
from silvr_cli.media.probe import probe

sys.path.append(str(ROOT / "tests" / "soak"))
import fuzz

# A seed of their own, so that these are not the first of the soak's.
SEED, COUNT = 7, 28


@pytest.mark.parametrize("number", range(COUNT))
def test_broken_input_is_refused_in_one_sentence_or_read(number: int) -> None:
    verdict = fuzz.run_case(SEED, number)
    assert not verdict.found, f"{verdict.outcome}: {verdict.detail}"


def test_every_kind_of_input_is_among_them() -> None:
    assert {fuzz.KINDS[n % len(fuzz.KINDS)] for n in range(COUNT)} == set(fuzz.DRAWN)


def test_a_worker_that_dies_or_is_stuck_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from outside, as a crash in a codec would be."""
    worker = fuzz.Worker(SEED)
    try:
        worker.process.kill()
        worker.process.wait()
        with pytest.raises((fuzz.Lost, BrokenPipeError)):
            worker.run(0)
    finally:
        worker.close()


def test_json_nested_without_end_is_no_reply() -> None:
    assert replies.json_object('{"a":' * 100_000) is None
    assert replies.json_object("{" * 100_000 + '{"answer": "x"}') == {"answer": "x"}


def test_half_letters_in_a_reply_are_replaced() -> None:
    assert replies.json_object('{"answer": "\\ud83d x", "\\ud83d": ["\\ud83d"]}') == {
        "answer": "? x",
        "?": ["?"],
    }
    assert replies.without_thinking("<think>\ud83d</think>\ud83d") == ("?", "?")


def test_an_answer_with_half_a_letter_is_stored(tmp_path: Path) -> None:
    subtitles = tmp_path / "talk.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:04,000\nThe bus leaves at 9.\n", "utf-8")
    said = {"answer": "At 9 \ud83d", "evidence": [], "confidence": "high", "verdict": "found"}
    model = Scripted(json.dumps(said), json.dumps(said), words=False)
    with pipeline.Session.open(load().settings) as session:
        told = pipeline.describe(pipeline.Source(subtitles=subtitles), session)
        answered = pipeline.ask(told, "When does the bus leave?", (), session, model)
        assert answered.answer.text == "At 9 ?"
        assert pipeline.replayed(answered.id, session) == answered


def test_a_stream_in_no_known_codec_is_no_picture(tmp_path: Path) -> None:
    data = (ROOT / "examples" / "tour.mp4").read_bytes()
    path = tmp_path / "unknown.mp4"
    silent = data.replace(b"avc1", b"zzz1")
    path.write_bytes(silent)
    video = probe(path)
    assert (video.picture, len(video.audio)) == (None, 1)
    assert video.warnings == ("track 0 (video) is in no known codec and is left out",)
    path.write_bytes(silent.replace(b"mp4a", b"zzz2").replace(b"esds", b"zzz3"))
    with pytest.raises(InputError, match="holds picture or sound in no known codec"):
        probe(path)


@pytest.mark.parametrize(
    "row", ['media.max_side = "' + "x" * 5_000 + '"', '"a\\nb".c = 1', 'cache.path = "a\\u0000b"']
)
def test_a_setting_of_any_kind_is_told_in_one_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "silvr.toml").write_text(row, "utf-8")
    with pytest.raises(SettingsError) as refusal:
        load({}, {}, tmp_path)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500
