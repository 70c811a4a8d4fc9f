"""Events: in order, without gaps, captioned by titles, a truthful model or their own lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from conftest import Desk
from scripted import Scripted, as_they_are

from silvr_cli import backends, pipeline
from silvr_cli.configuration import load
from silvr_cli.records import Event, Line, Video
from silvr_cli.session import Described, Session
from silvr_cli.stages.events import QUIET, captioned, events, parts
from silvr_cli.talk import Talk
from silvr_cli.timeline import build

WORDS = ["harbour", "bridge", "roof", "budget", "ferry", "market"]
LINES = (
    Line(0.0, 10.0, "screen", "Opening Night / Seat 7"),
    Line(1.0, 9.0, "speech", "Welcome to the opening night of the harbour theatre."),
    Line(21.0, 29.0, "speech", "Anna sold 120 tickets in Lisbon."),
    Line(30.0, 39.0, "speech", "Then the curtain fell."),
)
SPANS = [(0.0, 20.0), (20.0, 40.0), (40.0, 60.0)]


def made() -> tuple[Event, ...]:
    return events(SPANS, LINES, [-1.0, 0.5, 2.0, 0.1], ["Opening Night", "", ""])


def test_titles_then_telling_lines_then_silence() -> None:
    found = made()
    assert [e.caption for e in found] == [
        "Opening Night",
        "Anna sold 120 tickets in Lisbon.",
        QUIET,
    ]
    assert found[1].salience > found[0].salience > found[2].salience == 0.0


def test_a_line_belongs_to_every_span_it_touches() -> None:
    lines = [Line(5.0, 45.0, "screen", "x"), Line(40.0, 40.0, "speech", "y")]
    assert parts(SPANS, lines) == [[0], [0], [0, 1]]


def test_a_line_at_the_very_end_belongs_to_the_last_event() -> None:
    lines = (*LINES, Line(60.0, 60.0, "speech", "The end is nigh."))
    assert parts(SPANS, lines)[-1] == [4]
    found = events(SPANS, lines, [-1.0, 0.5, 2.0, 0.1, 1.0], ["", "", ""])
    assert (found[-1].end, found[-1].caption) == (60.0, "The end is nigh.")
    assert found[-1].salience > 0
    model = Scripted("The end comes.")
    titled, talk = [True, True, False], (Talk(model), as_they_are)
    assert captioned(found, titled, lines, talk, Desk())[-1].caption == "The end comes."
    assert "nigh" in model.asked[0]
    assert parts([], lines) == []


def test_the_model_captions_what_has_no_title_and_is_kept_by_piece() -> None:
    model, desk = Scripted("Anna sells tickets in Lisbon."), Desk()
    for _ in range(2):
        found = captioned(made(), [True, False, False], LINES, (Talk(model), as_they_are), desk)
    assert [e.caption for e in found] == ["Opening Night", "Anna sells tickets in Lisbon.", QUIET]
    assert len(model.asked) == 1
    assert "120 tickets" in model.asked[0]
    assert "Welcome" not in model.asked[0]


def test_what_the_model_invents_is_not_taken() -> None:
    model = Scripted("Then Peter sells 400 tickets.")
    talk = (Talk(model), as_they_are)
    found = captioned(made(), [True, False, False], LINES, talk, Desk())
    assert found[1].caption == "Anna sold 120 tickets in Lisbon."


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open(load({"models.embed": "fake"}).settings) as opened:
        yield opened


DESCRIBED = Described(build(Video("sha256:x", "talk.mp4", 60.0), LINES), cuts=(20.0, 40.0))


@pytest.mark.parametrize("words", [True, False])
def test_small_models_are_not_asked_and_others_once(
    session: Session, monkeypatch: pytest.MonkeyPatch, words: bool
) -> None:
    model = Scripted(say=lambda prompt: "The night goes on.", words=words)
    monkeypatch.setattr(backends, "text_model", lambda *_: model)
    found = [pipeline.events(DESCRIBED, session) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0][0].start == 0.0
    assert found[0][-1].end == 60.0
    assert all(a.end == b.start for a, b in pairwise(found[0]))
    captions = [e.caption for e in found[0]]
    assert ("The night goes on." in captions) == (not words)
    assert len(model.asked) == captions.count("The night goes on.")


def test_highlights_of_a_described_video(session: Session) -> None:
    found = pipeline.highlights(DESCRIBED, session)
    assert found
    assert any("120 tickets" in m.text for m in found)


def test_events_last_about_as_long_as_asked_where_nothing_divides_them() -> None:
    rng = random.Random(3)
    lines, now = [], 0.0
    while now < 4 * 3600:
        # Some pauses, at random, and words that come again and again.
        length, gap = rng.uniform(2, 7), rng.uniform(0, 2)
        text = f"The {rng.choice(WORDS)} and the {rng.choice(WORDS)} cost {rng.randint(3, 900)}."
        lines.append(Line(now, now + length, "speech", text))
        now += length + gap
    described = Described(build(Video("sha256:long", "long.mp4", now), lines), ())
    with Session.open(load({"models.embed": "none", "events.length": 1200}).settings) as opened:
        found = pipeline.events(described, opened)
    assert len(found) == 12
    assert all(600 <= e.end - e.start <= 1800 for e in found)


def test_a_day_has_more_events_than_a_user_may_ask_chapters_for(session: Session) -> None:
    lines = [Line(i * 9.0, i * 9.0 + 8, "speech", f"Now comes number {i}.") for i in range(2400)]
    video = Video("sha256:day", "day.mp4", 21_600.0)
    found = pipeline.events(Described(build(video, lines), ()), session)
    assert len(found) > 1000
