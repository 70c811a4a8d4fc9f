"""Captions made when asked: coarser levels for a budget, closer looks in doubt, each once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import VideoMaker
from scripted import Scripted

from silvr_cli import backends, pipeline
from silvr_cli.captioning import Captioner
from silvr_cli.configuration import load
from silvr_cli.errors import ModelError
from silvr_cli.protocols import Reply, Request
from silvr_cli.session import Described, Session, Source

SEEN = '{"time": "0:00", "quote": "The red cup stands on the left."}'
DOUBT = '{"reasoning": "", "answer": "%s", "evidence": [%s], "confidence": "%s", "verdict": "%s"}'
QUOTE = '{"time": "0:08", "quote": "a table with cups"}'


class Seer:
    """A vision model that tells a question from a plain caption and keeps the prompts."""

    name, slots = "fake", 2

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False
        self.lock = threading.Lock()

    def fingerprint(self) -> str:
        return "fake@1"

    def close(self) -> None:
        return

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        if self.fails:
            raise ModelError("the seer is ill")
        with self.lock:
            self.asked.append(prompt)
        if "Somebody wants to know" in prompt:
            return Reply("The red cup stands on the left.")
        return Reply(f"a table with cups {len(self.asked)}")


@pytest.fixture
def seer(monkeypatch: pytest.MonkeyPatch) -> Seer:
    made = Seer()
    monkeypatch.setattr(backends, "vision_model", lambda *_: made)
    return made


FLAGS = {
    "models.vision": "fake",
    "models.reader": "none",
    "models.embed": "none",
    "models.speech": "none",
    "clips.ladder": (8.0, 16.0, 32.0),
}


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open(load(FLAGS).settings) as opened:
        yield opened


@pytest.fixture
def described(make_video: VideoMaker, seer: Seer, session: Session) -> Described:
    """40 seconds that grow brighter: five captions of eight seconds."""
    pictures = [np.full((72, 128, 3), 20 + i, np.uint8) for i in range(200)]
    found = pipeline.describe(Source(make_video("t.mp4", pictures, fps=5)), session)
    assert [line.level for line in found.timeline.lines] == [8.0] * 5
    seer.asked.clear()
    return found


def test_a_coarser_level_is_captioned_once(
    described: Described, seer: Seer, session: Session
) -> None:
    for _ in range(2):
        with Captioner(described, session) as captioner:
            lines = captioner.coarser(16.0)
    assert [(n.start, n.end, n.level) for n in lines] == [(0, 16, 16), (16, 32, 16), (32, 40, 16)]
    assert len(seer.asked) == 3


def test_beyond_the_ladder_and_without_the_file_nothing_is_captioned(
    described: Described, seer: Seer, session: Session
) -> None:
    with Captioner(described, session) as captioner:
        assert captioner.coarser(64.0) == ()
    Path(str(described.timeline.video.path)).unlink()
    with Captioner(described, session) as captioner:
        assert captioner.coarser(16.0) == ()
    assert seer.asked == []


def test_paper_asks_for_longer_clips_and_says_so(
    described: Described, seer: Seer, session: Session
) -> None:
    settings = load({**FLAGS, "reduction.method": "paper", "reduction.budget": 80}).settings
    with Session.open(settings) as small:
        model = Scripted(DOUBT % ("Cups.", "", "high", "found"), words=False)
        model.count = lambda texts: [3 * len(text.split()) for text in texts]
        answered = pipeline.ask(described, "What is there?", (), small, model)
    assert "captions of 16-second clips, captioned again" in answered.context.plan.reason
    assert {n.level for n in answered.context.lines} == {16.0}
    assert len(seer.asked) == 3


def test_where_no_notes_are_taken_the_lines_are_read(described: Described, seer: Seer) -> None:
    settings = load({**FLAGS, "reduction.method": "segments"}).settings

    def say(prompt: str) -> str:
        return "NOTHING" if "one part of a long" in prompt else "a picture of cups"

    with Session.open(settings) as session:
        answered = pipeline.ask(described, "What is there?", (), session, Scripted(say=say))
    assert answered.answer.text == "a picture of cups"
    assert answered.context.lines


def test_paper_folds_where_the_model_fails(
    described: Described, seer: Seer, session: Session
) -> None:
    told: list[str] = []
    seer.fails = True
    settings = load({**FLAGS, "reduction.method": "paper", "reduction.budget": 80}).settings
    with Session.open(settings, None, told.append) as small:
        model = Scripted(DOUBT % ("Cups.", "", "high", "found"), words=False)
        model.count = lambda texts: [3 * len(text.split()) for text in texts]
        answered = pipeline.ask(described, "What is there?", (), small, model)
    assert "merged" in answered.context.plan.reason
    assert any("the seer is ill" in note for note in told)


def test_doubt_is_looked_into_and_said(described: Described, seer: Seer, session: Session) -> None:
    for _ in range(2):
        model = Scripted(
            DOUBT % ("On a table.", QUOTE, "low", "unclear"),
            DOUBT % ("On the left.", SEEN, "high", "found"),
            words=False,
        )
        answered = pipeline.ask(described, "Where are the cups?", (), session, model)
    answer = answered.answer
    assert (answer.text, answer.confidence, answer.usage.calls) == ("On the left.", "high", 2)
    assert answer.notes[0].startswith("looked again at")
    assert 'before that: "On a table."' in answer.notes
    assert "on a closer look: The red cup stands on the left." in answered.context.text
    assert "on a closer look" in model.asked[1]
    # The second time everything seen comes from the cache.
    assert len(seer.asked) == len([n for n in answered.context.lines if n.level == 4.0])
    assert all("Somebody wants to know: Where are the cups?" in p for p in seer.asked)


def test_there_are_two_rounds_at_most_the_second_closer(
    described: Described, seer: Seer, session: Session
) -> None:
    doubt = DOUBT % ("On a table.", QUOTE, "low", "unclear")
    model = Scripted(doubt, doubt, doubt, words=False)
    answered = pipeline.ask(described, "Where are the cups?", (), session, model)
    assert len(model.asked) == 3
    assert sum(n.startswith("looked again") for n in answered.answer.notes) == 2
    assert {n.level for n in answered.context.lines} == {8.0, 4.0, 2.0}


def test_confidence_is_not_looked_into(described: Described, seer: Seer, session: Session) -> None:
    model = Scripted(DOUBT % ("On a table.", QUOTE, "high", "found"), words=False)
    pipeline.ask(described, "Where are the cups?", (), session, model)
    assert seer.asked == []


def test_a_closer_look_that_fails_leaves_the_answer(
    described: Described, seer: Seer, session: Session
) -> None:
    seer.fails = True
    model = Scripted(DOUBT % ("On a table.", QUOTE, "low", "unclear"), words=False)
    answered = pipeline.ask(described, "Where are the cups?", (), session, model)
    assert answered.answer.text == "On a table."
    assert "no closer look: the seer is ill" in answered.answer.notes[-1]


def test_text_of_ones_own_is_never_looked_at(tmp_path: Path, seer: Seer, session: Session) -> None:
    (tmp_path / "c.txt").write_text("a table with cups\n")
    own = pipeline.describe(Source(captions=tmp_path / "c.txt", clip_length=8.0), session)
    model = Scripted(DOUBT % ("On a table.", "", "low", "unclear"), words=False)
    pipeline.ask(own, "Where are the cups?", (), session, model)
    with Captioner(own, session) as captioner:
        assert captioner.coarser(16.0) == ()
    assert seer.asked == []
