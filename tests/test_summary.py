"""Summaries: every point rests on a line, with its time, in the model's own words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import Desk
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted, as_they_are

from silvr_cli.evidence import copied, grounded, mismeasured
from silvr_cli.records import Chapter, Line, Summary, Timeline, Video
from silvr_cli.settings import Summary as Settings
from silvr_cli.stages.summary import Writer
from silvr_cli.talk import Talk

VIDEO = Video("x", "talk.mp4", 180.0)
LINES = (
    Line(2.0, 20.0, "speech", "The dome of the observatory was built by the town in 1961."),
    Line(42.0, 60.0, "speech", "The mirror of the telescope weighs 90 kilograms and is cleaned."),
    Line(
        70.0, 100.0, "speech", "Martha will order a new mirror before the summer comes to an end."
    ),
    Line(130.0, 150.0, "speech", "Visitors of the observatory pay 4 euros, and children are free."),
)
TIMELINE = Timeline(VIDEO, LINES)
CHAPTERS = (Chapter(0.0, 65.0, "The Dome"), Chapter(65.0, 180.0, "Plans"))
DOME = "The town raised the observatory's dome in 1961."
MIRROR = "Martha orders another mirror before summer ends."


def told(
    model: Scripted, style: str = "bullets", points: int | None = 2, desk: Desk | None = None
) -> Summary:
    settings = Settings(style=style, points=points)
    writer = Writer(TIMELINE, as_they_are, Talk(model), settings, desk or Desk())
    found = writer.points(CHAPTERS, by_chapters=style in ("detailed", "minutes"))
    return writer.summary(found, CHAPTERS)


def texts(summary: Summary) -> list[tuple[float, str]]:
    return [(p.start, p.text) for section in summary.sections for p in section.points]


def by_notes(**replies: str) -> Callable[[str], str]:
    """A model that answers by what stands in the last notes of the prompt."""

    def say(prompt: str) -> str:
        notes = prompt.rpartition("<recording>")[2]
        return next((reply for word, reply in replies.items() if word in notes), "none")

    return say


def test_points_take_the_time_of_the_line_that_bears_them_out() -> None:
    found = told(Scripted(say=by_notes(dome=DOME, Martha=MIRROR)), points=2)
    assert texts(found) == [(2.0, DOME), (70.0, MIRROR)]
    assert found.sections[0].title == ""
    assert (found.model, found.usage.calls > 0) == ("scripted", True)
    assert "summary_points" in found.prompts or found.prompts == {}


def test_a_time_that_the_model_names_counts_only_if_a_line_begins_there() -> None:
    say = "[0:42] The telescope's mirror weighs 90 kilograms.\n[2:59] Visitors pay 4 euros each."
    found = told(Scripted(say=lambda _: say, words=False), points=2)
    assert texts(found) == [
        (42.0, "The telescope's mirror weighs 90 kilograms."),
        (130.0, "Visitors pay 4 euros each."),
    ]


def test_what_is_copied_is_asked_again() -> None:
    model = Scripted(LINES[0].text, DOME, MIRROR)
    assert texts(told(model))[0] == (2.0, DOME)
    assert len(model.asked) == 3


def test_what_is_copied_twice_is_reworded() -> None:
    model = Scripted(LINES[0].text, LINES[0].text, DOME, MIRROR)
    assert texts(told(model))[0] == (2.0, DOME)
    assert "other words" in model.asked[2]
    assert LINES[0].text in model.asked[2]


def test_what_is_copied_for_ever_is_a_quote_and_marked_as_one() -> None:
    found = told(Scripted(LINES[0].text, LINES[0].text, LINES[0].text, MIRROR))
    (dome, mirror) = found.sections[0].points
    assert (dome.text, dome.quote, dome.start) == (f"“{LINES[0].text}”", True, 2.0)
    assert not mirror.quote
    assert found.notes == ("1 of 2 points are quotes",)


@pytest.mark.parametrize(
    "invented",
    [
        "The observatory's dome was raised in 1872.",
        "A baker makes dough of rye flour and lets it rest.",
        "The observatory needed 1961 years for its dome.",
        "Sorry, I cannot help with that request.",
        "The video does not say anything about it.",
        "Dome.",
    ],
)
def test_what_the_lines_do_not_bear_out_never_comes_through(invented: str) -> None:
    found = told(Scripted(say=lambda _: invented))
    assert all(point.quote for point in found.sections[0].points)
    assert invented not in [text for _, text in texts(found)]


@pytest.mark.parametrize("style", ["bullets", "minutes"])
@pytest.mark.parametrize(
    "said",
    [
        "Lena makes a dough of two pounds of rye flour.",
        "The baker drills four holes in the dough.",
        "The task was to write the screen.",
    ],
)
def test_what_is_told_in_another_language_is_quoted(said: str, style: str) -> None:
    lines = (
        Line(0.0, 4.0, "speech", "Willkommen in der Werkstatt. Ich heiße Anna Berg."),
        Line(10.0, 14.0, "speech", "Wir bohren vier Löcher."),
        Line(20.0, 24.0, "speech", "Der Meister verspricht uns noch zwei neue Bretter."),
    )
    model = Scripted(say=lambda _: said)
    timeline = Timeline(VIDEO, lines)
    writer = Writer(timeline, as_they_are, Talk(model), Settings(style=style), Desk())
    found = writer.summary(writer.points(CHAPTERS, by_chapters=style == "minutes"), CHAPTERS)
    assert all(p.quote for section in found.sections for p in section.points)


def test_the_prompts_own_example_is_no_point() -> None:
    said = "Lena raised the observatory's dome in 1961 for the town."
    found = told(Scripted(say=by_notes(dome=said, Martha=MIRROR)))
    assert said not in [text for _, text in texts(found)]
    assert found.sections[0].points[0].quote


def test_tldr_tells_the_points_in_a_few_sentences_with_times() -> None:
    model = Scripted(
        DOME, MIRROR, "A town's observatory has a dome of 1961.\nMartha orders a mirror."
    )
    assert texts(told(model, "tldr")) == [
        (2.0, "A town's observatory has a dome of 1961."),
        (70.0, "Martha orders a mirror."),
    ]


def test_sentences_on_one_row_are_told_apart() -> None:
    model = Scripted(DOME, MIRROR, "A town's observatory has a dome. Martha orders a mirror.")
    assert [text for _, text in texts(told(model, "tldr"))] == [
        "A town's observatory has a dome.",
        "Martha orders a mirror.",
    ]


def test_tldr_falls_back_on_the_points() -> None:
    model = Scripted(DOME, MIRROR, "In 1492 it all began with ships.", "Sorry, I cannot.")
    assert texts(told(model, "tldr")) == [(2.0, DOME), (70.0, MIRROR)]


def test_detailed_has_a_section_a_chapter() -> None:
    found = told(Scripted(say=by_notes(dome=DOME, Martha=MIRROR)), "detailed")
    assert [(s.title, len(s.points)) for s in found.sections] == [("The Dome", 1), ("Plans", 1)]


def test_minutes_tell_what_is_to_be_done_from_lines_that_say_so() -> None:
    def say(prompt: str) -> str:
        if "Which decisions" in prompt:
            return "Martha orders a mirror before summer.\nThe mayor resigns on Monday."
        return DOME if "dome" in prompt.rpartition("<recording>")[2] else MIRROR

    model = Scripted(say=say)
    found = told(model, "minutes")
    tasks = [p for s in found.sections for p in s.points if p.kind == "task"]
    assert [(t.start, t.text) for t in tasks] == [(70.0, "Martha orders a mirror before summer.")]
    # Nothing is promised in the first chapter, so nobody is asked about it.
    assert sum("Which decisions" in prompt for prompt in model.asked) == 1


def test_many_points_become_as_few_as_are_wanted() -> None:
    lines = tuple(
        Line(t * 60.0, t * 60 + 30, "speech", f"The visitor saw star number {t} over the hill.")
        for t in range(40)
    )
    timeline = Timeline(Video("x", "long.mp4", 2400.0), lines)

    def say(prompt: str) -> str:
        notes = prompt.rpartition("<recording>")[2]
        number = re.findall(r"number (\d+)", notes)
        return f"Star number {number[0]} is seen by a visitor."

    model = Scripted(say=say, reading=64)
    writer = Writer(timeline, as_they_are, Talk(model), Settings(points=3), Desk())
    points = writer.points([Chapter(0.0, 2400.0, "")], by_chapters=False)
    assert 1 <= len(points) <= 3
    assert [p.start for p in points] == sorted(p.start for p in points)
    assert any("points below" in prompt for prompt in model.asked)


def test_pieces_are_kept() -> None:
    desk = Desk()
    told(Scripted(say=by_notes(dome=DOME, Martha=MIRROR)), desk=desk)
    again = Scripted()
    assert len(texts(told(again, desk=desk))) == 2
    assert again.asked == []


def test_nothing_seen_or_heard_is_told_without_a_call() -> None:
    model = Scripted()
    writer = Writer(Timeline(VIDEO), as_they_are, Talk(model), Settings(), Desk())
    found = writer.summary(writer.points(CHAPTERS, by_chapters=False), CHAPTERS)
    assert (found.sections, found.notes) == ((), ("nothing was seen, read or heard",))
    assert model.asked == []


@pytest.mark.parametrize(
    "said",
    [
        "- [0:02] **The town raised the observatory's dome in 1961.**",
        "At 0:02, the town raised the observatory's dome in 1961.",
        "In one sentence: The town raised the observatory's dome in 1961.",
        "1. This video discusses the town raised the observatory's dome in 1961.",
    ],
)
def test_what_is_around_a_sentence_is_taken_off(said: str) -> None:
    assert texts(told(Scripted(said, MIRROR)))[0][1].casefold() == DOME.casefold()


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5), st.booleans())
def test_whatever_a_model_says_times_are_lines_times_and_copies_are_quotes(
    said: list[str], words: bool
) -> None:
    number = iter(range(10**6))
    model = Scripted(say=lambda _: said[next(number) % len(said)], words=words)
    for style in ("bullets", "tldr", "detailed", "minutes"):
        found = told(model, style)
        points = [p for s in found.sections for p in s.points]
        assert points
        starts = {line.start for line in LINES}
        assert all(p.start in starts and p.end <= VIDEO.duration for p in points)
        assert all(p.quote or not copied(p.text, LINES) for p in points)


def test_copied_sees_across_line_breaks() -> None:
    lines = [
        Line(0, 1, "speech", "one two three four,"),
        Line(1, 2, "speech", "Five six seven eight"),
    ]
    assert copied("He says one two THREE four five six seven eight!", lines)
    assert not copied("One two three four five six seven.", lines)


def test_measures_are_held_against_their_number() -> None:
    lines = [Line(0, 1, "speech", "grew by 20% in 3 years, to $5 million")]
    assert mismeasured("It grew by 20 percent to 5 million.", lines) == []
    assert mismeasured("It grew for 20 years.", lines) == ["20 years"]


def test_words_of_another_language_are_not_borne_out() -> None:
    assert not grounded("Die Kuppel wurde gebaut", LINES)
    assert not grounded("A whale is in the sea with a ship", LINES)


def test_sentences_of_scripts_without_spaces_are_sentences() -> None:
    said = "今天我们来讨论灯塔的历史", "守塔人每天晚上九点点亮灯", "船从北方来带来了咖啡和布"
    lines = tuple(Line(i * 10.0, i * 10.0 + 9, "speech", text) for i, text in enumerate(said))
    model = Scripted("讲者介绍灯塔的历史和守塔人。")
    timeline = Timeline(Video("x", "talk.mp4", 30.0), lines)
    writer = Writer(timeline, as_they_are, Talk(model), Settings(points=1), Desk())
    (point,) = writer.points([Chapter(0.0, 30.0, "")], by_chapters=False)
    assert (point.text, point.quote) == ("讲者介绍灯塔的历史和守塔人。", False)
