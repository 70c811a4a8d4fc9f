"""Questions of time: what they ask, which order and spans the timeline gives, what is not taken."""

from __future__ import annotations

import pytest

from silvr_cli import temporal, titled
from silvr_cli.records import Evidence, Kind, Line

VIDEO_LINES = None
LINES = [
    Line(0.0, 6.0, "speech", "Welcome to the harbour tour"),
    Line(7.0, 20.0, "screen", "Fewer Forms / Room 223"),
    Line(9.0, 30.0, "speech", "we have cut well over 300 million hours, fewer forms for all"),
    Line(33.0, 44.0, "screen", "CAMERA F-96 LISBON 08:31"),
    Line(44.0, 57.0, "screen", "Farm and Factory / Room 150"),
    Line(60.0, 61.0, "screen", "GOA"),
    Line(70.0, 80.0, "screen", "Slower Crime / Room 356"),
    Line(75.0, 90.0, "speech", "crime is slower, slower than ever"),
]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ('At what time does the part "Slower Crime" begin?', "when"),
        ("When is the goat mentioned?", "when"),
        ("How long does the part about forms last?", "how long"),
        ("Which of these parts comes first in the video?", "order"),
        ('Which titled part comes next after "Fewer Forms"?', "order"),
        ('How many times is the word "slower" said?', "count"),
        ("At what time does the train to Dublin leave?", ""),
        ("How much flour is taken first?", ""),
        ("Who built the dome?", ""),
        ('In this part: which number stands in "the last ____ years", as he says?', ""),
        ("Wann beginnt der Teil?", ""),
    ],
)
def test_what_a_question_asks_of_time(question: str, kind: str) -> None:
    assert temporal.asks(question) == kind


def test_options_are_told_in_the_order_in_which_they_come() -> None:
    choices = ("Slower Crime", "Fewer Forms", "Farm and Factory")
    line = temporal.order_of("Which of these parts comes first in the video?", choices, LINES)
    assert line
    told = 'in order of time: "Fewer Forms" (0:07); then "Farm and Factory" (0:44)'
    assert line.text == f'{told}; then "Slower Crime" (1:10)'


def test_what_comes_after_a_part_leaves_out_what_comes_before_it() -> None:
    question = 'Which part comes next after "Farm and Factory"?'
    line = temporal.order_of(question, ("Fewer Forms", "Slower Crime"), LINES)
    assert line
    assert line.text == 'after "Farm and Factory" (0:44), in order of time: "Slower Crime" (1:10)'


def test_what_comes_before_a_part_is_told_from_it_backwards() -> None:
    question = 'Which part comes directly before "Slower Crime"?'
    line = temporal.order_of(question, ("Fewer Forms", "Farm and Factory"), LINES)
    assert line
    assert line.text.endswith('"Farm and Factory" (0:44); then "Fewer Forms" (0:07)')


def test_no_order_is_told_of_options_that_the_timeline_does_not_have() -> None:
    question = "Which of these parts comes first in the video?"
    assert temporal.order_of(question, ("Slower Crime", "The Purple Cow"), LINES) is None


@pytest.mark.parametrize("kind", ["speech", "caption"])
def test_without_titles_there_are_no_parts(kind: Kind) -> None:
    assert titled.parts([Line(0.0, 6.0, kind, "Welcome to the harbour tour")]) == ()
    assert titled.parts([]) == ()


def test_a_part_lasts_until_the_next_title_and_stray_letters_are_no_title() -> None:
    parts = titled.parts(LINES)
    assert [(n.start, n.end) for n in parts] == [
        (7.0, 33.0),
        (33.0, 44.0),
        (44.0, 70.0),
        (70.0, 90.0),
    ]


def test_a_time_in_an_answer_stands_for_the_part_that_begins_there() -> None:
    found = temporal.spans("It begins at 0:44.", "When does it begin?", LINES, titled.parts(LINES))
    assert [(e.start, e.end) for e in found] == [(44.0, 70.0)]


def test_a_time_that_a_board_shows_is_no_time_of_the_video() -> None:
    lines = [Line(0.0, 5.0, "screen", "Dublin 0:44"), *LINES]
    assert temporal.spans("At 0:44.", "When does it leave?", lines, titled.parts(lines)) == []


def test_without_a_time_the_part_of_the_evidence_counts() -> None:
    rests = [Evidence(44.0, 57.0, "Farm and Factory / Room 150", "screen")]
    (part,) = temporal.part_of(rests, titled.parts(LINES))
    assert (part.start, part.end) == (44.0, 70.0)
    assert temporal.part_of([], titled.parts(LINES)) == []


def test_times_to_choose_from_are_told_with_what_begins_there() -> None:
    question = 'At what time does the part "Slower Crime" begin?'
    line = temporal.beginnings(question, ("0:07", "0:21", "1:10"), LINES)
    assert line
    assert line.text == "begins at 0:07 Fewer Forms; 0:21 nothing; 1:10 Slower Crime"


def test_what_is_counted_is_listed() -> None:
    line = temporal.counted('How many times is the word "slower" said?', LINES)
    assert line
    assert line.text == '"slower" stands 2 times in the timeline: 1:15, 1:15'
    assert temporal.counted('How many times is "slower" said or shown?', LINES[:3]) is None


def test_order_and_beginnings_settle_questions_without_a_model() -> None:
    choices = ("Slower Crime", "Farm and Factory", "Fewer Forms")
    first = temporal.settled("Which of these parts comes first in the video?", choices, LINES)
    assert first
    assert (first.text, first.choice) == ("Fewer Forms", 2)
    after = temporal.settled('Which part comes next after "Fewer Forms"?', choices[:2], LINES)
    assert after
    assert after.text == "Farm and Factory"
    begins = 'At what time does the part "Slower Crime" begin?'
    when = temporal.settled(begins, ("0:07", "1:10"), LINES)
    assert when
    assert (when.choice, when.confidence) == (1, "high")
    spoken = temporal.settled(begins, (), LINES)
    assert spoken
    assert spoken.text == "1:10"


@pytest.mark.parametrize(
    ("question", "choices"),
    [
        ("Which of these parts comes first in the video?", ("Slower Crime", "The Purple Cow")),
        ('At what time does the part "The Purple Cow" begin?', ("0:07", "1:10")),
        ('At what time does the part "Slower Crime" begin?', ("0:21", "0:52")),
        ("Who built the dome?", ("Slower Crime", "Fewer Forms")),
    ],
)
def test_what_the_times_do_not_tell_is_left_to_the_model(question: str, choices) -> None:
    assert temporal.settled(question, choices, LINES) is None


def test_a_clip_begins_where_alone_something_begins() -> None:
    question = "At what time does this clip begin: a cup is turned?"
    found = temporal.settled(question, ("0:21", "0:33", "0:52"), LINES)
    assert found
    assert (found.choice, found.confidence) == (1, "medium")
    assert temporal.settled(question, ("0:07", "0:33", "0:52"), LINES) is None


def lectured(*shown: tuple[float, float, str]) -> list[Line]:
    return [Line(start, end, "screen", text) for start, end, text in shown]


AGENDA = lectured(
    (0.0, 20.0, "Welcome"),
    (20.0, 50.0, "Agenda / The dome / The telescope"),
    (50.0, 120.0, "The dome"),
    (120.0, 200.0, "The telescope"),
    (200.0, 240.0, "The dome / Summary"),
    (240.0, 300.0, "Questions"),
)


@pytest.mark.parametrize(
    ("question", "choices", "told"),
    [
        ('When does the part "The telescope" begin?', (), "2:00"),
        (
            'Which part comes right after "Welcome"?',
            ("The telescope", "Questions"),
            "The telescope",
        ),
        ("Which of these two comes first?", ("Questions", "The telescope"), "The telescope"),
        # Another time than its beginning.
        ('When does the part after "The dome" begin?', (), None),
        ('When is "The dome" shown last?', (), None),
        ('When is "The dome" shown again?', (), None),
        ('Until when is "The telescope" shown?', (), None),
        # A time of the world, not of the video.
        ('When does the exhibition "The telescope" begin?', (), None),
        ('When does the film "The telescope" come out?', (), None),
        # Turned round, of something else, or of what stands in two places.
        ('Which part does not come after "Welcome"?', ("The telescope", "Questions"), None),
        ('Which part comes two after "Welcome"?', ("The telescope", "Questions"), None),
        ("Which part comes second to last?", ("The telescope", "Questions"), None),
        ("Which part comes last before Questions?", ("Welcome", "The telescope"), None),
        ("Which tool is shown first in the kitchen?", ("Welcome", "The telescope"), None),
        ('Which part comes right after "Welcome"?', ("The dome", "Questions"), None),
    ],
)
def test_only_what_is_asked_is_settled(
    question: str, choices: tuple[str, ...], told: str | None
) -> None:
    found = temporal.settled(question, choices, AGENDA)
    assert (found.text if found else None) == told
