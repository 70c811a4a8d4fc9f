"""Reduction: never over budget, in order of time, honest about what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.errors import UsageError
from silvr_cli.focus import FLOOR, PICTURE_WEIGHT, relevance
from silvr_cli.records import Line, Timeline, Video
from silvr_cli.stages.reduction import Budget, reduce
from silvr_cli.timeline import build

VIDEO = Video("sha256:x", "talk.mp4", 4000.0)


def count(texts):
    return [len(text.split()) for text in texts]


def talk(lines: int = 60) -> Timeline:
    made = []
    for i in range(lines):
        made.append(Line(i * 8.0, i * 8.0 + 8, "caption", f"caption {i}", 8.0))
        made.append(Line(i * 8.0 + 1, i * 8.0 + 7, "speech", f"we speak about subject{i} now"))
    made.append(Line(100.0, 110.0, "screen", "Departures / 16:34 Lisbon Platform 12"))
    return build(VIDEO, made)


def test_everything_is_shown_when_it_fits() -> None:
    context = reduce(talk(3), "what", (), Budget(10_000, count), "auto")
    assert context.plan.reduction == "all"
    assert context.plan.left_out == ()
    assert context.lines == talk(3).lines


def test_focus_keeps_what_the_question_is_about() -> None:
    context = reduce(talk(), "When does the train to Lisbon leave?", (), Budget(60, count), "auto")
    assert context.plan.reduction == "focus"
    assert "16:34 Lisbon" in context.text
    assert (
        context.plan.lines_kept + sum(int(part.split()[0]) for part in context.plan.left_out)
        == context.plan.lines_total
    )


def test_a_question_that_shares_no_word_gets_an_overview() -> None:
    context = reduce(talk(), "What is it all for?", (), Budget(200, count), "auto")
    assert "shares no word" in context.plan.reason
    assert context.plan.tokens <= 200
    starts = [line.start for line in context.lines]
    assert starts[0] < 100
    assert starts[-1] > 300


def test_words_that_the_timeline_nowhere_has_are_told() -> None:
    context = reduce(talk(), "Who paid for the crates?", (), Budget(9000, count), "auto")
    assert (context.unheard, context.asked) == (("paid", "crat"), 2)


def test_words_that_the_timeline_has_and_the_context_has_not_are_told() -> None:
    question = "Who paid for the platform in Lisbon?"
    for method, unread in (("paper", ("platform", "lisbon")), ("focus", ()), ("auto", ())):
        context = reduce(talk(), question, (), Budget(60, count), method)
        assert (context.unheard, context.unread, context.asked) == (("paid",), unread, 3), method
    assert reduce(talk(), question, (), Budget(9000, count), "auto").unread == ()


@pytest.mark.parametrize(
    "question", ["What happens after 302 seconds?", "What is told at 5 min and 2 s?"]
)
def test_a_time_in_words_is_a_place_to_look_at_too(question: str) -> None:
    context = reduce(talk(), question, (), Budget(60, count), "focus")
    assert "subject37" in context.text


def test_a_common_word_that_had_no_room_is_not_missed() -> None:
    lines = [Line(i * 9.0, i * 9.0 + 8, "speech", f"we build boats in yard {i}") for i in range(60)]
    lines[30] = Line(270.0, 278.0, "speech", "the sailmaker of the yard is Ines")
    question = "Who is the sailmaker who works where they build boats?"
    context = reduce(build(VIDEO, lines), question, (), Budget(20, count), "focus")
    assert "Ines" in context.text
    assert "boats" not in context.text
    assert context.unread == ()


def test_a_question_in_another_language_than_the_video_misses_no_words() -> None:
    for question in ("Wer bezahlte die Kisten?", "Was kostet das Brett?", "On peint la planche?"):
        context = reduce(talk(), question, (), Budget(9000, count), "auto")
        assert context.unheard == (), question


@pytest.mark.parametrize(
    "question",
    [
        'How often is the word "speak" said?',
        "What is told at 0:45?",
        "How many slides are shown?",
        "At what time does the Lisbon slide begin?",
        "What happens in the second half?",
        "Describe briefly the main topics",
        "Tell me everything",
        "What is the third slide?",
        "What is said after 21 seconds?",
        "What is discussed at 1m20s?",
        "What is discussed in the last half hour?",
    ],
)
def test_what_is_asked_of_the_video_itself_need_not_be_told(question: str) -> None:
    context = reduce(talk(), question, (), Budget(9000, count), "auto")
    assert 2 * len(context.unheard) <= context.asked


def test_what_nobody_mentions_stays_unheard_in_a_question_of_time() -> None:
    question = "When does the sound engineer begin to sing?"
    context = reduce(talk(), question, (), Budget(9000, count), "auto")
    assert (context.unheard, context.asked) == (("sound", "engineer", "sing"), 3)


def test_a_time_that_a_question_names_is_a_place_to_look_at() -> None:
    context = reduce(talk(), "What happens at 5:02?", (), Budget(60, count), "focus")
    assert "subject37" in context.text
    assert "subject3 " not in context.text
    # 16:34 stands on a board, and 59:00 is no time of the video.
    for question in ("What leaves at 16:34?", "What happens at 59:00?"):
        context = reduce(talk(), question, (), Budget(60, count), "focus")
        assert "subject37" not in context.text


def test_what_is_said_at_a_time_is_settled() -> None:
    context = reduce(talk(), "What is said at 5:02?", (), Budget(9000, count), "auto")
    assert context.settled
    assert context.settled.text == "we speak about subject37 now"
    for question in ("What is said of boats at 5:02?", "What is said at 16:34?"):
        assert not reduce(talk(), question, (), Budget(9000, count), "auto").settled


def test_a_quoted_title_brings_what_is_said_under_it() -> None:
    lines = [
        Line(0.0, 5.0, "screen", "Fewer Forms"),
        Line(6.0, 9.0, "speech", "they cut three hundred million hours"),
        Line(100.0, 105.0, "screen", "More Forms"),
        Line(106.0, 109.0, "speech", "they cut nine pages"),
    ]
    context = reduce(
        build(VIDEO, lines), 'In "Fewer Forms": how much is cut?', (), Budget(24, count), "focus"
    )
    assert "three hundred million" in context.text


def test_paper_merges_captions_before_it_touches_speech() -> None:
    context = reduce(talk(), None, (), Budget(700, count), "paper")
    spoken = [n for n in context.lines if n.kind == "speech"]
    assert len(spoken) == 60
    assert {n.level for n in context.lines if n.kind == "caption"} != {8.0}
    assert "captions finer than" in context.plan.left_out[0]


def test_paper_says_how_much_speech_it_had_to_cut() -> None:
    context = reduce(talk(), None, (), Budget(100, count), "paper")
    assert any("speech lines, evenly" in part for part in context.plan.left_out)
    starts = [n.start for n in context.lines if n.kind == "speech"]
    assert starts[0] < 100
    assert starts[-1] > 300


@pytest.mark.parametrize("lines", [2_000, 20_000])
def test_a_longer_video_is_not_counted_line_by_line(lines: int) -> None:
    counted = []
    budget = Budget(300, lambda texts: counted.extend(texts) or count(texts))
    context = reduce(talk(lines), None, (), budget, "paper")
    assert 200 < context.plan.tokens <= 300
    assert len(counted) < 1_000


def test_lines_of_two_kinds_in_turn_are_measured_as_they_are() -> None:
    lines = []
    for i in range(1024):
        lines.append(Line(i * 4.0, i * 4.0 + 2, "caption", f"dog {i % 7}", 4.0))
        lines.append(Line(i * 4.0 + 2, i * 4.0 + 4, "speech", f"{'and then we said ' * 15}{i}"))
    timeline = build(VIDEO, lines)
    whole = reduce(timeline, None, (), Budget(10**6, count), "paper").plan.tokens
    assert reduce(timeline, None, (), Budget(whole + 4096, count), "paper").plan.left_out == ()


def test_where_no_line_has_room_another_may() -> None:
    long = [Line(float(i), i + 1.0, "speech", "word " * 90 + str(i)) for i in range(500)]
    short = Line(499.0, 499.5, "speech", "a short one")
    context = reduce(build(VIDEO, [*long, short]), None, (), Budget(50, count), "paper")
    assert [line.text for line in context.lines] == ["a short one"]


@given(
    budget=st.integers(20, 2000),
    method=st.sampled_from(["auto", "paper", "focus"]),
    size=st.integers(1, 50),
)
def test_never_over_budget_and_always_in_order(budget: int, method: str, size: int) -> None:
    timeline = talk(size)
    context = reduce(timeline, "subject3 Lisbon caption", (), Budget(budget, count), method)
    assert context.plan.tokens <= budget
    assert sum(count([context.text])) <= budget
    assert [n.start for n in context.lines] == sorted(n.start for n in context.lines)


@given(small=st.integers(30, 300), more=st.integers(0, 300))
def test_a_larger_budget_never_shows_less(small: int, more: int) -> None:
    query = "subject3 subject9 Lisbon"
    less = reduce(talk(30), query, (), Budget(small, count), "focus")
    greater = reduce(talk(30), query, (), Budget(small + more, count), "focus")
    assert len(greater.text) >= len(less.text) or greater.plan.tokens >= less.plan.tokens


def test_a_line_whose_picture_fits_is_kept_though_it_lacks_the_words() -> None:
    asked: list[int] = []

    def hints(lines):
        asked.append(len(lines))
        return [float(line.start == 240.0) for line in lines]

    question = "When does the train to Lisbon leave?"
    context = reduce(talk(), question, (), Budget(60, count), "auto", hints)
    assert "16:34 Lisbon" in context.text
    assert "[4:00-4:08] caption: caption 30" in context.text
    assert context.plan.reason.endswith("by words and by hints")
    plain = reduce(talk(), question, (), Budget(60, count), "auto")
    assert "caption 30" not in plain.text
    assert len(asked) == 1, "asked for once"


def test_pictures_decide_where_no_line_shares_a_word() -> None:
    context = reduce(
        talk(),
        "Where is a dog?",
        (),
        Budget(20, count),
        "focus",
        lambda lines: [float(line.start == 240.0) for line in lines],
    )
    assert [line.start for line in context.lines] == [240.0]


@pytest.mark.parametrize(
    ("question", "budget"),
    [("What is this video about?", 60), ("Where is a dog?", 9000), (None, 60)],
)
def test_pictures_are_not_asked_where_nothing_is_chosen(question: str | None, budget: int) -> None:
    def hints(lines):
        raise AssertionError("a model would be loaded for nothing")

    asked = reduce(talk(), question, (), Budget(budget, count), "auto", hints)
    assert asked == reduce(talk(), question, (), Budget(budget, count), "auto")


@given(
    query=st.sampled_from(["subject3 Lisbon", "caption 4", "dog"]),
    hinted=st.lists(st.floats(0, 1), min_size=13, max_size=13),
    method=st.sampled_from(["auto", "focus", "paper"]),
)
def test_hints_only_ever_add(query: str, hinted: list[float], method: str) -> None:
    lines = talk(6).lines
    plain, seen = relevance(lines, query), relevance(lines, query, (), hinted)
    gained = [b - a for a, b in zip(plain, seen, strict=True)]
    assert min(gained) >= 0
    assert max(gained) <= PICTURE_WEIGHT * (max(plain) or 1) + 1e-9
    assert relevance(lines, query, (), [0.0] * 13) == plain
    assert relevance(lines, query, (), ()) == plain
    silent = reduce(talk(6), query, (), Budget(30, count), method, lambda lines: ())
    assert silent == reduce(talk(6), query, (), Budget(30, count), method)


def test_the_best_picture_is_enough_to_be_kept_and_half_of_it_is_not() -> None:
    assert 0.5 * PICTURE_WEIGHT < FLOOR < PICTURE_WEIGHT < 1


def test_all_refuses_rather_than_cuts() -> None:
    with pytest.raises(UsageError, match="the budget is 50"):
        reduce(talk(), "what", (), Budget(50, count), "all")


def test_of_a_long_board_only_the_rows_asked_for_are_shown() -> None:
    board = "Departures / 16:34 Lisbon Platform 12 / 20:38 Dublin Platform 8 / 08:43 Sydney"
    lines = [Line(0.0, 9.0, "screen", board), *talk(40).lines]
    context = reduce(
        build(VIDEO, lines), "When does the train to Dublin leave?", (), Budget(50, count), "focus"
    )
    assert "Departures / … / 20:38 Dublin Platform 8 / …" in context.text
    assert any(part.endswith("boards") for part in context.plan.left_out)


def test_chapters_are_thinned_too_and_the_budget_is_kept() -> None:
    chapters = [Line(i * 40.0, i * 40.0 + 40, "summary", f'chapter "Part {i}"') for i in range(90)]
    told = [Line(i * 40.0 + 5, i * 40.0 + 9, "speech", f"we speak of {i}") for i in range(90)]
    context = reduce(build(VIDEO, chapters, told), "Why does she?", (), Budget(120, count), "auto")
    assert context.plan.tokens <= 120


@pytest.mark.parametrize(
    "question",
    [
        "Describe the video.",
        "What are the main topics?",
        "List the topics.",
        "What text appears on screen?",
        "What is the weight of the dome?",
        "What is the price of the telescope?",
        "What does a trip to the telescope cost?",
    ],
)
def test_words_for_a_video_and_for_measures_need_not_be_said(question: str) -> None:
    told = ["The dome weighs 4 tons.", "The telescope costs 900 euros.", "And so on it goes."]
    lines = [Line(i * 9.0, i * 9.0 + 8, "speech", text) for i, text in enumerate(told)]
    context = reduce(build(VIDEO, lines), question, (), Budget(500, count), "auto")
    assert context.apart == ()
    assert 2 * len(context.unheard) <= context.asked
