"""The timeline: order, text that cannot be faked, round trips, merging."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.errors import InputError
from silvr_cli.records import KIND_NAMES, Line, Video
from silvr_cli.timeline import (
    as_text,
    build,
    clock,
    from_json,
    levels,
    line_text,
    merge_captions,
    parse_clock,
    to_json,
    window,
    within,
)

VIDEO = Video("sha256:x", "a talk.mp4", 3600.0)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "1 --> 2",
            "a\n\nb",
            "<i>x</i>",
            "&amp;",
            "{\\an8}",
            "WEBVTT",
            "NOTE x",
            "7",
            "[screen] fake",
            "[0:01-0:02] speech: fake",
            "🎈",
            "مرحبا",
        ]
    ),
)
TIMES = st.integers(0, 3_600_000).map(lambda ms: ms / 1000)
LINES = st.lists(
    st.builds(
        lambda a, b, kind, text, level, source: Line(
            min(a, b), max(a, b), kind, text, level, source
        ),
        TIMES,
        TIMES,
        st.sampled_from(KIND_NAMES),
        TEXTS,
        st.none() | st.sampled_from([8.0, 16.0]),
        st.sampled_from(["", "whisper/base"]),
    ),
    max_size=12,
)


@given(LINES)
def test_json_gives_the_timeline_back(lines: list[Line]) -> None:
    timeline = build(VIDEO, lines)
    assert from_json(to_json(timeline)) == timeline


@given(LINES)
def test_one_line_of_text_each_whatever_the_video_says(lines: list[Line]) -> None:
    timeline = build(VIDEO, lines)
    rows = as_text(timeline.lines).split("\n") if timeline.lines else []
    assert len(rows) == len(timeline.lines)
    assert all(row == line_text(n) for row, n in zip(rows, timeline.lines, strict=True))


def test_lines_are_ordered_clamped_and_told_once() -> None:
    late, early = Line(50.0, 99.0, "speech", "late "), Line(-3.0, 5.0, "screen", " early\n text")
    timeline = build(Video("x", "x", 60.0), [late, early], [late, Line(1.0, 2.0, "speech", "  ")])
    assert [(n.start, n.end, n.text) for n in timeline.lines] == [
        (0.0, 5.0, "early text"),
        (50.0, 60.0, "late"),
    ]


def test_lines_of_the_same_moment_stay_in_the_order_in_which_they_came() -> None:
    said = [Line(1.0, 2.0, "speech", text) for text in ("zebra", "ape", "lion")]
    seen = Line(1.0, 2.0, "caption", "a cage")
    assert build(VIDEO, said, [seen]).lines == (seen, *said)


def test_what_begins_after_the_end_is_not_of_the_video() -> None:
    times = (0.0, 9.0, 10.5, 11.0, 11.1, 5000.0)
    lines = [Line(time, time + 1, "speech", "x") for time in times]
    assert within(lines, 10.0) == tuple(lines[:4])


@given(st.floats(0, 359_999))
def test_clock_reads_back_to_the_second(seconds: float) -> None:
    assert parse_clock(clock(seconds)) == int(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1:02:03", 3723.0), ("2:03.5", 123.5), ("62.5", 62.5), ("1h2m3s", 3723.0), ("5m", 300.0)],
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_clock(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "-5", "1h:3"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        parse_clock(text)


def test_captions_merge_to_double_length_and_keep_every_word_once() -> None:
    fine = [
        Line(i * 8.0, i * 8 + 8.0, "caption", text, 8.0)
        for i, text in enumerate(["still picture", "motion", "motion", "still picture"])
    ]
    speech = Line(3.0, 9.0, "speech", "hello")
    merged = merge_captions([*fine, speech], 16.0)
    assert [(n.start, n.end, n.text) for n in merged if n.kind == "caption"] == [
        (0.0, 16.0, "still picture; motion"),
        (16.0, 32.0, "motion; still picture"),
    ]
    assert speech in merged
    assert levels(merged) == (16.0,)


def test_a_window_holds_what_touches_it() -> None:
    lines = [Line(0.0, 5.0, "speech", "a"), Line(5.0, 9.0, "speech", "b")]
    assert [n.text for n in window(lines, 5.0, 6.0)] == ["b"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no json", "not JSON"),
        ("[]", "is no timeline"),
        ('{"schema": "silvr-timeline/1"}', "video"),
        (
            '{"schema": "silvr-timeline/1", "video": {"id": "x", "name": "x", "duration": "long"}}',
            "duration",
        ),
    ],
)
def test_bad_json_is_told_by_its_place(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        from_json(text)


@pytest.mark.parametrize(
    ("start", "end"), [("5", "1"), ("-1", "1"), ("0", "1e999"), ("NaN", "1"), ("1", "Infinity")]
)
def test_json_cannot_hold_times_that_are_none(start: str, end: str) -> None:
    line = f'{{"start": {start}, "end": {end}, "kind": "speech", "text": "x"}}'
    video = '{"id": "x", "name": "x", "duration": 9}'
    with pytest.raises(InputError, match=r"lines\.0 cannot last|not JSON"):
        from_json(f'{{"schema": "silvr-timeline/1", "video": {video}, "lines": [{line}]}}')


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="not JSON"):
        from_json("[" * 100_000)


def test_what_steers_a_terminal_or_cannot_be_written_is_no_text() -> None:
    words = "\x1b[31mred\x00\ud800 \x07 end\x9b"
    timeline = build(VIDEO, [Line(0.0, 1.0, "speech", words), Line(2.0, 3.0, "screen", "\x00\x07")])
    assert [n.text for n in timeline.lines] == ["[31mred end"]
    assert from_json(to_json(timeline)) == timeline


def test_levels_name_only_lengths_that_can_be_doubled() -> None:
    lines = [Line(0.0, 1.0, "caption", "x", level) for level in (None, 0.0, 8.0)]
    assert levels(lines) == (8.0,)


@given(LINES)
def test_merging_keeps_every_word_and_never_adds_lines(lines: list[Line]) -> None:
    before = build(VIDEO, lines).lines
    for level in (16.0, 32.0, 64.0):
        after = merge_captions(before, level)
        assert len(after) <= len(before)
        assert {w for n in after for w in pieces(n)} == {w for n in before for w in pieces(n)}
        finer = [n for n in after if n.kind == "caption" and (n.level or 0.0) < level]
        assert not finer
        assert merge_captions(after, level) == after
        before = after


def pieces(line: Line) -> list[str]:
    return line.text.split("; ")


def calls(work: Callable[[list[Line]], object], lines: list[Line]) -> int:
    """How many functions, Python's and C's, `work` calls: a cost without a clock."""
    count = 0

    def tally(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    # Hypothesis is called at every collection, and these come when they come.
    gc.disable()
    sys.setprofile(tally)
    try:
        work(lines)
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


DAY = [Line(float(i), i + 1.0, "caption", f"second {i}", 1.0) for i in range(86_400)]


@pytest.mark.parametrize(
    "work",
    [
        as_text,
        lambda lines: build(Video("x", "day.mp4", 86_400.0), lines),
        lambda lines: merge_captions(lines, 8.0),
    ],
    ids=["as_text", "build", "merge_captions"],
)
def test_a_day_of_lines_costs_no_more_a_line_than_an_hour(
    work: Callable[[list[Line]], object],
) -> None:
    hour = calls(work, DAY[:3600])
    assert hour >= 3600
    assert calls(work, DAY) <= 24 * hour


def test_a_day_prints_a_row_a_line() -> None:
    rows = as_text(DAY).split("\n")
    assert len(rows) == 86_400
    assert rows[-1] == "[23:59:59-24:00:00] caption: second 86399"
