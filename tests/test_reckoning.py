"""Questions of time without quotes or options: what is worked out and what is left open."""

from __future__ import annotations

import pytest

from silvr_cli import reckoning
from silvr_cli.records import Line

TOUR = [
    Line(0.0, 16.0, "screen", "An Evening at / Willow Hill"),
    Line(9.0, 13.0, "speech", "Tonight I will show you the dome, the telescope and the workshop."),
    Line(16.0, 33.0, "screen", "The dome"),
    Line(27.0, 30.0, "speech", "The dome weighs 4 tons and no engine turns it."),
    Line(33.0, 44.0, "screen", "The dome / GEAR PLATE / WH-2047"),
    Line(44.0, 71.0, "screen", "The telescope"),
    Line(60.0, 62.0, "screen", "CAMERA P-21 LISBON"),
    Line(71.0, 91.0, "screen", "The log book / 12 March Saturn"),
    Line(91.0, 119.0, "screen", "The workshop / 3 Fuses"),
    Line(100.0, 109.0, "speech", "First we sand the board. Then we paint the board blue."),
    Line(110.0, 118.0, "speech", "After that we drill four holes."),
]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("When does the dome part begin?", "0:16"),
        ("At what time does the part about the log book start?", "1:11"),
        ("When is the workshop shown?", "1:31"),
        ("When does the dome part end?", "0:44"),
        ('When does the part "The dome" end?', "0:44"),
        ("How long is the dome part?", "28 seconds, from 0:16"),
        ("How long is the part about the workshop?", "28 seconds, from 1:31"),
        ('How long does the part "The dome" last?', "28 seconds, from 0:16"),
        ("What comes after the log book part?", "The workshop"),
        ("Which part comes before the log book?", "The telescope"),
        ("What happens after sanding the board?", "Then we paint the board blue."),
        ("What happens after painting the board?", "After that we drill four holes."),
        ('What comes before "drill four holes"?', "Then we paint the board blue."),
        ('How often is the word "board" said?', "2 times: 1:40, 1:40"),
    ],
)
def test_open_questions_are_settled_by_times(question: str, told: str) -> None:
    found = reckoning.settled(question, (), TOUR)
    assert found, question
    assert found.text == told


@pytest.mark.parametrize(
    "question",
    [
        # What is said of a subject is not told by the slide of its name.
        "When is the dome mentioned?",
        "How long does the workshop last?",
        "When does the workshop begin?",
        # It asks something besides, or names two parts, or none.
        "How long is the winch in the dome part shown?",
        "How long is the part from the dome to the workshop?",
        "When does the part about the moon begin?",
        "When does the dome end?",
        # "The board" stands in two sentences, the last part has none after it.
        "What happens after the board?",
        "What comes after the workshop?",
        "What happens after we paint the board green?",
        'How often is the word "zebra" said?',
        'How often is the "dome" shown?',
        "How many parts does the workshop have?",
        "Who built the dome?",
    ],
)
def test_what_is_not_sure_is_left_to_the_model(question: str) -> None:
    assert reckoning.settled(question, (), TOUR) is None


def test_half_a_sentence_is_no_answer() -> None:
    cues = [
        Line(0.0, 2.0, "speech", "First we paint"),
        Line(2.0, 4.0, "speech", "the board blue."),
        Line(5.0, 6.0, "speech", "Then we drill."),
    ]
    assert reckoning.settled("What happens after we paint?", (), cues) is None
    assert reckoning.settled("What happens before we drill?", (), cues) is None


def test_slides_are_counted_by_their_titles() -> None:
    found = reckoning.settled("How many slides are shown?", (), TOUR)
    assert found
    assert found.text.startswith('5, by their titles: "An Evening at" (0:00), "The dome" (0:16)')
    assert "CAMERA" not in found.text


def test_chapters_of_the_file_come_before_titles_on_screen() -> None:
    lines = [Line(14.0, 50.0, "summary", 'chapter "The dome"'), *TOUR]
    found = reckoning.settled("How long is the dome part?", (), lines)
    assert found
    assert found.text == "36 seconds, from 0:14"
    counted = reckoning.settled("How many chapters are there?", (), lines)
    assert counted
    assert counted.text == '1, by their titles: "The dome" (0:14)'


def test_options_are_taken_where_one_alone_agrees() -> None:
    when = reckoning.settled("When does the dome part begin?", ("0:44", "0:16"), TOUR)
    assert when
    assert when.choice == 1
    after = "What comes after the log book part?"
    following = reckoning.settled(after, ("The dome", "the workshop"), TOUR)
    assert following
    assert following.choice == 1
    assert reckoning.settled(after, ("The dome", "the attic"), TOUR) is None
    often = reckoning.settled('How often is "board" said?', ("3 times", "2 times"), TOUR)
    assert often
    assert often.choice == 1


def test_models_that_decide_by_themselves_are_told_what_follows() -> None:
    (line,) = reckoning.derived("When does the dome part end?", (), TOUR)
    assert line.text == '"The dome" is shown from 0:16 to 0:44: 28 seconds'
    (line,) = reckoning.derived("What comes after the log book part?", (), TOUR)
    assert line.text == "worked out from the times after the log book part: The workshop"
    assert reckoning.derived("Who built the dome?", (), TOUR) == []


def test_only_what_nobody_tells_is_too_long() -> None:
    question = "How long is the dome shown?"
    assert reckoning.overlong("about 3 hours", question, TOUR, 145.0) == ["3 hours"]
    assert reckoning.overlong("90 seconds", question, TOUR, 145.0) == []
    told = [Line(0.0, 5.0, "speech", "The video of the dome runs for 3 hours.")]
    assert reckoning.overlong("3 hours", question, told, 145.0) == []
    assert reckoning.overlong("3 hours", "How long does the climb take?", TOUR, 145.0) == []


@pytest.mark.parametrize(
    "question",
    [
        "When does the part before the workshop begin?",
        "When is the workshop shown last?",
        "When is the workshop shown for the second time?",
        "Which part does not come after the log book?",
    ],
)
def test_what_turns_a_question_round_is_left_to_the_model(question: str) -> None:
    assert reckoning.settled(question, (), TOUR) is None


def test_what_is_said_from_a_time_on_is_not_what_is_said_at_it() -> None:
    for word in ("after", "before", "from", "until"):
        assert reckoning.said_at(f"What is said {word} 1:40?", (), TOUR) is None
    assert reckoning.said_at("What is said at 1:40?", (), TOUR)


def test_a_sentence_that_tells_what_comes_before_is_the_answer_itself() -> None:
    told = [
        Line(0.0, 6.0, "speech", "Welcome back to my workshop."),
        Line(7.0, 20.0, "speech", "Before we paint the board, we sand it. Then we let it dry."),
    ]
    assert reckoning.settled("What happens before we paint the board?", (), told) is None


def test_chapters_are_no_slides_and_what_is_mentioned_is_said() -> None:
    chapters = [Line(0.0, 9.0, "summary", 'chapter "All of it"')]
    slides = [
        Line(0.0, 4.0, "screen", "RuBisCO at work"),
        Line(4.0, 9.0, "screen", "RuBisCO at work / Slow"),
    ]
    said = [Line(1.0, 3.0, "speech", "RuBisCO is slow.")]
    found = reckoning.settled("How many slides are shown?", (), [*chapters, *slides, *said])
    assert found
    assert found.text.startswith('1, by their titles: "RuBisCO at work"')
    found = reckoning.settled('How often is "RuBisCO" mentioned?', (), [*slides, *said])
    assert found
    assert found.text == "1 time: 0:01"


def test_slides_under_a_running_head_are_not_counted() -> None:
    topics = ("Sorting", "Hashing", "Trees", "Graphs")
    slides = [
        Line(i * 9.0, i * 9.0 + 9, "screen", f"CS 101 Lecture / {topic}")
        for i, topic in enumerate(topics)
    ]
    assert reckoning.settled("How many slides are shown?", (), slides) is None


GARDEN = [
    Line(0.0, 7.0, "speech", "My name is Lena Park and I grow tomatoes."),
    Line(8.0, 12.0, "speech", "First we plant the seeds in March, in C++ and C#, not in C."),
    Line(20.0, 26.0, "speech", "The lemons cost 450 euros."),
]


@pytest.mark.parametrize(
    ("question", "choices", "index"),
    [
        ("Which of these is not mentioned?", ("tomatoes", "cucumbers", "seeds"), 1),
        ("What isn't talked about?", ("tomatoes", "lemons", "oats"), 2),
        ("All of these are named except which?", ("oats", "lemons", "seeds"), 0),
        ("Which of these is not mentioned?", ("tomatoes", "cucumbers", "oats"), None),
        ("Which of these is not mentioned?", ("tomatoes", "lemons", "seeds"), None),
        ("Which of these is mentioned?", ("tomatoes", "cucumbers", "seeds"), None),
        ("What does she not grow?", ("tomatoes", "cucumbers", "seeds"), None),
    ],
)
def test_the_only_option_that_is_told_nowhere(
    question: str, choices: tuple[str, ...], index: int | None
) -> None:
    found = reckoning.unsaid(question, choices, GARDEN)
    assert (found.choice if found else None) == index


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How long is the video?", "1 hour 1 minute 5 seconds"),
        ("How long is this whole recording?", "1 hour 1 minute 5 seconds"),
        ("When does the film end?", "1:01:05"),
        ("How long is the video about the dome?", None),
        ("When does the part end?", None),
    ],
)
def test_how_long_the_video_is_and_when_it_ends(question: str, told: str | None) -> None:
    found = reckoning.whole(question, (), 3665.2)
    assert (found.text if found else None) == told


@pytest.mark.parametrize(
    ("word", "times"), [("C++", 1), ("C#", 1), ("in", 3), ("...", 0), (".*", 0), ("Lena Park", 1)]
)
def test_a_word_is_counted_with_the_signs_that_are_its_own(word: str, times: int) -> None:
    found = reckoning.settled(f'How often is the word "{word}" said?', (), GARDEN)
    assert (int(found.text.split()[0]) if found else 0) == times


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What is the third slide?", "The telescope, from 0:44"),
        ("Which is the 2nd slide about?", "The dome, from 0:16"),
        ("What is the second part called?", "The dome, from 0:16"),
        ("What was the last slide?", "The workshop, from 1:31"),
        ("What is the ninth slide?", None),
        ("What is the next slide?", None),
        ("What is the third slide of the dome?", None),
    ],
)
def test_a_slide_is_told_by_its_number(question: str, told: str | None) -> None:
    found = reckoning.nth(question, (), TOUR)
    assert (found.text if found else None) == told
    assert reckoning.nth(question, ("The dome", "The telescope"), TOUR) is None


def test_of_many_places_the_first_and_the_last_are_told() -> None:
    lines = [Line(10.0 * i, 10.0 * i + 9, "speech", "the harbour again") for i in range(40)]
    found = reckoning.settled('How often is the word "harbour" said?', (), lines)
    assert found
    assert found.text.startswith("40 times: 0:00, 0:10, ")
    assert found.text.endswith(" and on, the last at 6:30")
    assert len(found.lines) == reckoning.LISTED
