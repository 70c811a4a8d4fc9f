"""Moments: whole sentences, spans in the video and apart, the likeliest first, honest scores."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli import backends, relevance
from silvr_cli.backends.fake import FakeEmbedder
from silvr_cli.configuration import load
from silvr_cli.records import Line, Moment, Timeline, Video
from silvr_cli.settings import Moments
from silvr_cli.stages.moments import LEAST, STRETCH_LEAST, Reader, find, passages, telling
from silvr_cli.timeline import build

TOLD = [
    "Welcome, today we will crop, blur and save.",
    "We start with an empty page.",
    "Here is the harbour in the morning.",
    "Fishermen mend their nets beside the boats.",
    "To crop the picture, drag its corners.",
    "Then press the key that confirms it.",
    "Now we turn to the colours.",
    "The sky is a little pale.",
    "A darker blue helps.",
    "To save the picture, open the menu.",
    "That was all for today.",
]


def talk(texts: list[str] = TOLD, seconds: float = 10.0) -> Timeline:
    lines = [Line(i * seconds, (i + 1) * seconds - 1, "speech", t) for i, t in enumerate(texts)]
    return build(Video("sha256:x", "talk.mp4", seconds * len(texts)), lines)


def first(query: str, timeline: Timeline | None = None, top: int = 5) -> Moment:
    return find(timeline or talk(), query, Moments(top=top))[0]


@pytest.mark.parametrize("embedder", [None, FakeEmbedder()])
def test_the_place_where_it_is_told_comes_first_not_its_announcement(
    embedder: FakeEmbedder | None,
) -> None:
    found = find(talk(), "How do I crop a picture?", Moments(), embedder)
    assert found[0].start <= 40.0 < found[0].end
    assert "drag its corners" in found[0].text


def test_where_it_is_talked_about_goes_before_a_mention_elsewhere() -> None:
    other = [f"Somebody tells of something else, number {i}." for i in range(40)]
    told = [*other]
    told[8] = "Nobody knows what the new ferry timetable is, they say at the harbour."
    told[28:32] = [
        "A ferry leaves at nine and at noon.",
        "The timetable is printed in April.",
        "Each ferry waits for the train from town.",
        "So a timetable of trains comes with it.",
    ]
    found = find(talk(told), "the ferry timetable", Moments())
    assert 280 <= found[0].start < 320
    assert "Nobody knows" in found[1].text


def test_what_is_coming_weighs_less_than_what_is_said() -> None:
    other = [f"Somebody tells of something else, number {i}." for i in range(12)]
    told = [*other[:4], "Later we will look at the ferry.", *other[4:8], "Here is the ferry."]
    assert first("ferry", talk([*told, *other[8:]])).text == "Here is the ferry."


def test_other_forms_of_a_word_are_found() -> None:
    assert "mend their nets" in first("mending of fishing nets").text


def test_the_best_are_first_and_at_most_so_many() -> None:
    found = find(talk(), "picture", Moments(top=2))
    assert len(found) == 2
    assert 1 >= found[0].score >= found[1].score > 0


@pytest.mark.parametrize("length", [60, 400])
@pytest.mark.parametrize("best", ["telescope", "The telescope. A telescope."])
def test_every_place_that_has_the_word_is_found(length: int, best: str) -> None:
    told = ["Somebody tells of something else."] * length
    places = [length // 10, length // 4, length // 2, 3 * length // 4]
    for at in places:
        told[at] = f"He has, as all of us in the village know, a telescope with number {at}."
    told[length // 2] = best
    found = find(talk(told), "telescope", Moments(top=6), FakeEmbedder())
    assert all(any(m.start <= 10 * at + 5 < m.end for m in found) for at in places)
    assert all(LEAST <= moment.score <= 1 for moment in found)


def test_what_nobody_says_is_not_found() -> None:
    assert find(talk(), "xylophone", Moments()) == ()


@pytest.mark.parametrize("query", ["", " ", "?"])
def test_an_empty_query_finds_nothing(query: str) -> None:
    assert find(talk(), query, Moments()) == ()


def test_an_empty_timeline_has_no_moments() -> None:
    assert find(Timeline(Video("sha256:x", "still.mp4", 0.0)), "a boat", Moments()) == ()


def test_a_lone_line_is_found() -> None:
    found = first("boat", talk(["A boat leaves."]))
    assert (found.start, found.end, found.text) == (0.0, 9.0, "A boat leaves.")


def test_captions_of_mere_change_weigh_less_than_words() -> None:
    video = Video("sha256:x", "talk.mp4", 100.0)
    lines = [
        Line(20, 28, "caption", "the ferry timetable", 8.0),
        Line(60, 68, "speech", "the ferry timetable"),
        *(
            Line(i, i + 2, "speech", f"other words {i}.")
            for i in (*range(30, 58, 4), *range(70, 98, 4))
        ),
    ]
    assert first("ferry timetable", build(video, lines)).start == 60


def test_subtitles_cut_in_the_middle_become_whole_sentences() -> None:
    lines = [
        Line(0, 2, "speech", "To crop the"),
        Line(2, 4, "speech", "picture, drag. Then"),
        Line(4, 6, "speech", "press enter."),
        Line(20, 21, "speech", "no full stop"),
        Line(30, 31, "speech", "after a silence"),
    ]
    assert [p.text for p in passages(lines)] == [
        "To crop the picture, drag.",
        "Then press enter.",
        "no full stop",
        "after a silence",
    ]


def test_sentences_of_one_line_share_its_time_and_its_speaker() -> None:
    told = passages([Line(10, 20, "speech", "Mayor: We agree. We will pay.")])
    assert [p.text for p in told] == ["Mayor: We agree.", "Mayor: We will pay."]
    assert (told[0].start, told[1].end) == (10, 20)
    assert told[0].end == told[1].start


def test_words_that_only_ask_are_left_out_unless_there_are_no_others() -> None:
    assert telling("Summarize the discussion about tides") == "the about tides"
    assert telling("Summarize the discussion") == "Summarize the discussion"


def test_runs_of_letters_meet_where_stems_do_not() -> None:
    assert set(relevance.grams("cropping")) & set(relevance.grams("to crop"))
    assert relevance.grams("1,500 boats of") == ["1500", "_boa", "boat", "oats", "ats_"]


lines = st.builds(
    lambda at, length, text, kind: Line(at, at + length, kind, text, None),
    st.floats(0, 900),
    st.floats(0, 100),
    st.text(st.sampled_from("abc boat crop. ! : é日"), max_size=60),
    st.sampled_from(["speech", "screen", "caption", "summary"]),
)


@given(st.lists(lines, max_size=25), st.sampled_from(["boat", "crop a boat", "é 日", "zzz"]))
def test_moments_lie_in_the_video_apart_and_in_order_of_score(told: list[Line], query: str) -> None:
    timeline = build(Video("sha256:x", "talk.mp4", 950.0), told)
    for embedder in (None, FakeEmbedder()):
        found = find(timeline, query, Moments(top=4), embedder)
        assert len(found) <= 4
        scores = [moment.score for moment in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert all(0 <= m.start <= m.end <= 950 for m in found)
        ordered = sorted(found, key=lambda m: (m.start, m.end))
        pairs = pairwise(ordered)
        assert all(one.end <= other.start for one, other in pairs)


@pytest.mark.models
def test_meaning_finds_what_no_word_names() -> None:
    told = talk(["Lunch costs twelve euros.", *TOLD])
    model = backends.embedder("auto", load().settings)
    found = find(told, "price of the meal", Moments(), model)
    assert "twelve euros" in found[0].text


def test_where_several_speak_at_once_moments_end_after_they_begin() -> None:
    told = [
        Line(0.0, 8.0, "speech", "Welcome to the harbour. And here comes the big lighthouse"),
        Line(1.0, 2.5, "speech", "(crowd cheers for the coffee ship)"),
        Line(8.5, 9.0, "speech", "Thank you."),
    ]
    found = find(build(Video("sha256:x", "talk.mp4", 9.0), told), "coffee ship", Moments())
    assert "coffee ship" in found[0].text
    assert all(moment.start < moment.end <= 9.0 for moment in found)


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.floats(0, 50), st.sampled_from([*TOLD, "the boats", "so"])),
        min_size=1,
        max_size=12,
    )
)
def test_moments_of_lines_that_overlap_do_not(told: list[tuple[float, float, str]]) -> None:
    lines = [Line(min(a, b), max(a, b), "speech", text) for a, b, text in told]
    found = find(build(Video("sha256:x", "talk.mp4", 50.0), lines), "boats", Moments(top=9))
    spans = sorted((moment.start, moment.end) for moment in found)
    assert all(0 <= start <= end <= 50.0 for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize("query", ["咖啡", "咖啡在哪里？", "ประภาคาร"])
def test_scripts_without_spaces_are_found(query: str) -> None:
    told = [f"今天天气很好，第{i}天。" for i in range(24)]
    told[8], told[16] = "船从北方来，带来了咖啡和布。", "เรือแล่นไปที่ประภาคารแล้ว!"
    found = find(talk(told), query, Moments())
    assert told[16 if query[0] == "ป" else 8] in found[0].text
    assert len(found[0].text) < 60


def test_lines_of_scripts_without_spaces_do_not_run_on_for_ever() -> None:
    told = [Line(i * 2.0, i * 2.0 + 2, "speech", "我们看见了灯塔的光我们") for i in range(60)]
    assert len(passages(told)) > 5


@given(
    st.lists(
        st.lists(st.sampled_from(["harbour", "ship", "coffee", "lamp", "the", "1,000"])), min_size=1
    ),
    st.data(),
)
def test_runs_of_texts_score_as_if_they_were_joined(
    told: list[list[str]], data: st.DataObject
) -> None:
    texts = [" ".join(words) for words in told]
    bounds = st.integers(0, len(texts))
    runs = data.draw(
        st.lists(st.tuples(bounds, bounds).map(lambda r: (min(r), max(r))), min_size=1)
    )
    whole = relevance.Index([" ".join(texts[a:b]) for a, b in runs]).scores(
        "coffee ship zebra 1,000"
    )
    assert relevance.Index(texts).joined("coffee ship zebra 1,000", runs) == pytest.approx(whole)


def about(words: str) -> Reader:
    """A reader that finds the stretches with these words better than all others."""
    return Reader(lambda texts: [float(words in text) for text in texts])


def long_talk() -> Timeline:
    """Two places tell of the ferry alike; only a reader knows which one is meant."""
    told = [f"Somebody tells of something else, number {i}, at some length." for i in range(60)]
    told[15] = "The ferry leaves at nine, the old timetable says."
    told[45] = "The ferry leaves at ten, the new timetable says."
    return talk(told)


@pytest.mark.parametrize(("word", "place"), [("old", 15), ("new", 45)])
def test_a_reader_decides_between_places_that_stand_alike(word: str, place: int) -> None:
    found = find(long_talk(), "ferry timetable", Moments(), None, about(word))
    assert f"the {word} timetable" in found[0].text
    assert found[0].start <= place * 10.0 < found[0].end


def test_a_reader_gets_the_likeliest_stretches_whole_and_in_order_of_time() -> None:
    shown: list[list[str]] = []

    def read(texts: Sequence[str]) -> Sequence[float]:
        shown.append(list(texts))
        return [0.0] * len(texts)

    timeline = long_talk()
    found = find(timeline, "ferry timetable", Moments(), None, Reader(read, 3))
    assert [(m.start, m.end) for m in found] == [
        (m.start, m.end) for m in find(timeline, "ferry timetable", Moments())
    ], "a reader to whom all is alike changes nothing"
    (texts,) = shown
    assert len(texts) == 3
    told = " ".join(line.text for line in timeline.lines)
    places = [told.index(text) for text in texts]
    assert places == sorted(places)
    assert all(STRETCH_LEAST <= len(text) <= STRETCH_LEAST + 80 for text in texts)
    assert sum("timetable" in text for text in texts) == 2


def test_a_reader_is_not_asked_about_what_the_video_has_nothing_of() -> None:
    def read(texts: Sequence[str]) -> Sequence[float]:
        raise AssertionError(texts)

    assert find(long_talk(), "xylophone", Moments(), None, Reader(read)) == ()


def test_a_reader_sees_who_speaks_once_a_turn_and_other_lines_by_themselves() -> None:
    told = [
        Line(0.0, 4.0, "speech", "Ann: We begin. We go on."),
        Line(4.0, 6.0, "speech", "Ben: Do we?"),
        Line(6.0, 8.0, "screen", "Agenda / Ferry"),
        Line(8.0, 9.0, "speech", f"Cid: {'No ferry at all. ' * 40}"),
    ]
    shown: list[str] = []

    def read(texts: Sequence[str]) -> Sequence[float]:
        shown.extend(texts)
        return [0.0] * len(texts)

    find(build(Video("sha256:x", "talk.mp4", 9.0), told), "ferry", Moments(), None, Reader(read))
    assert shown[0] == (
        "Ann: We begin. We go on.\nBen: Do we?\nAgenda / Ferry\nCid:" + 9 * " No ferry at all."
    )
    assert shown[1].startswith("Cid: No ferry at all. No ferry")


@given(
    st.lists(lines, max_size=25),
    st.lists(st.floats(-90, 0), min_size=40, max_size=40),
    st.integers(2, 6),
)
def test_what_a_reader_finds_leaves_moments_apart_and_in_order_of_score(
    told: list[Line], figures: list[float], stretches: int
) -> None:
    timeline = build(Video("sha256:x", "talk.mp4", 950.0), told)
    reader = Reader(lambda texts: figures[: len(texts)], stretches)
    found = find(timeline, "crop a boat", Moments(top=4), None, reader)
    scores = [moment.score for moment in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    spans = sorted((moment.start, moment.end) for moment in found)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_what_a_reader_finds_is_shown_though_it_shares_no_word_with_the_query() -> None:
    rest = "then we all went on with the plan of the day and it took some time to get it done"
    said = [f"{rest.capitalize()}, item {i}." for i in range(32)]
    for i in (3, 9, 22, 28):
        said[i] = f"The rubber was brought up as {rest}."
    for i in range(14, 18):
        said[i] = f"It grips well and lasts long, {rest}, item {i}."
    lines = [Line(10.0 * i, 10.0 * i + 10, "speech", text) for i, text in enumerate(said)]
    timeline = build(Video("sha256:x", "talk.mp4", 320.0), lines)

    def liked(texts: Sequence[str]) -> list[float]:
        return [float("grips well" in text) for text in texts]

    alone = find(timeline, "why they chose rubber", Moments(top=3))
    found = find(timeline, "why they chose rubber", Moments(top=3), None, Reader(liked, 40))
    assert found[0].text.startswith("It grips well")
    assert found[0].score == pytest.approx(alone[0].score)
