"""Every format that is written: what comes back, and that the video's text cannot break it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.exports import Format, write
from silvr_cli.media.own_text import read_captions, read_own_text
from silvr_cli.media.subtitles import read_subtitles
from silvr_cli.records import KIND_NAMES, Line, Timeline, Video
from silvr_cli.timeline import build, from_json

VIDEO = Video("sha256:x", "a talk.mp4", 3600.0)
ODD = [
    "1 --> 2",
    "00:00:05,000 --> 00:00:09,000",
    "from 0:05:00 to 0:06:00, or 00:05.000 00:06.000",
    "a\n\nb",
    "a\r\n\r\n9\n00:00:01,000",
    "<i>x</i> < i >y",
    "</b>",
    "a < b > c",
    "<00:19.000>",
    "&amp; &lt;b&gt;",
    "&#123;x}",
    "R&D, AT&T, &copy",
    "{\\an8}top {x} {1}{2}",
    "C:\\New\\home\\n",
    "WEBVTT",
    "NOTE x",
    "STYLE",
    "7",
    "[screen] fake",
    "[speech] [screen] fake",
    "[0:01-0:02] speech: fake",
    "-- a dash --",
    "🎈👩‍👩‍👧",
    "مرحبا بالعالم",
    "a\u2028b\x0bc\x85d\x1b[31me",
]
MARKUP = st.text(st.sampled_from("<>&{}\\/[]:;-#1nNhib \n"), max_size=20)
TEXTS = st.one_of(st.text(max_size=40), MARKUP, st.sampled_from(ODD))
TIMES = st.integers(0, 3_600_000).map(lambda ms: ms / 1000)
LINE = st.builds(
    lambda a, b, kind, text: Line(min(a, b), max(a, b), kind, text),
    TIMES,
    TIMES,
    st.sampled_from(KIND_NAMES),
    TEXTS,
)
# The same words twice running are told once when a subtitle file is read: see the test below.
LINES = st.lists(LINE, max_size=8, unique_by=lambda line: " ".join(line.text.split()))
Cues = Literal["srt", "vtt"]


def read_back(timeline: Timeline, form: Cues) -> list[Line]:
    """What `--subtitles` makes of an exported file, without the file's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"talk.{form}"
        path.write_text(write(timeline, form), "utf-8")
        _, lines = read_own_text(None, path, None)
    return [Line(n.start, n.end, n.kind, n.text) for n in lines]


@given(LINES, st.sampled_from(get_args(Cues)))
def test_subtitle_files_give_times_kinds_and_words_back(lines: list[Line], form: Cues) -> None:
    timeline = build(VIDEO, lines)
    if timeline.lines:
        assert read_back(timeline, form) == list(timeline.lines)


@pytest.mark.parametrize("form", get_args(Cues))
@pytest.mark.parametrize("kind", KIND_NAMES)
@pytest.mark.parametrize("text", ODD)
def test_odd_words_come_back(text: str, kind: str, form: Cues) -> None:
    # Two more cues around it: what breaks one cue often swallows the next.
    around = [Line(0.0, 1.0, "speech", "before"), Line(8.0, 9.0, "speech", "after")]
    timeline = build(VIDEO, around, [Line(2.0, 3.0, kind, text)])  # type: ignore[arg-type]
    assert read_back(timeline, form) == list(timeline.lines)


@given(st.floats(0, 3600), st.floats(0, 3600), st.sampled_from(get_args(Cues)))
def test_times_come_back_to_the_millisecond(a: float, b: float, form: Cues) -> None:
    (line,) = read_back(build(VIDEO, [Line(min(a, b), max(a, b), "speech", "x")]), form)
    assert (line.start, line.end) == (round(min(a, b), 3), round(max(a, b), 3))


def test_the_same_words_running_on_come_back_as_one_line() -> None:
    lines = [Line(1.0, 2.0, "screen", "Room 260"), Line(2.0, 4.0, "screen", "Room 260")]
    assert read_back(Timeline(VIDEO, tuple(lines)), "srt") == [Line(1.0, 4.0, "screen", "Room 260")]


def test_cues_without_a_mark_are_what_the_option_says(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:03,500\nA dog runs.\n", "utf-8")
    assert [(n.kind, n.level) for n in read_captions(path)] == [("caption", 2.5)]
    assert [n.kind for n in read_own_text(None, path, None)[1]] == ["speech"]


def test_srt_keeps_ampersands_as_people_write_them() -> None:
    timeline = Timeline(VIDEO, (Line(0.0, 1.0, "speech", "R&D at AT&T: 3 < 4, I <3 it"),))
    assert "R&D at AT&T: 3 < 4, I <3 it" in write(timeline, "srt")
    assert "R&amp;D at AT&amp;T" in write(timeline, "vtt")


def test_an_hour_long_timeline_is_numbered_and_stamped() -> None:
    timeline = Timeline(VIDEO, (Line(3599.9996, 3600.0, "screen", "the end"),))
    assert write(timeline, "srt") == "1\n01:00:00,000 --> 01:00:00,000\n[screen] the end\n"
    assert write(timeline, "vtt") == (
        "WEBVTT\n\n1\n01:00:00.000 --> 01:00:00.000\n[screen] the end\n"
    )


@given(LINES)
def test_markdown_has_one_item_a_line_whatever_the_video_says(lines: list[Line]) -> None:
    timeline = build(VIDEO, lines)
    rows = write(timeline, "md").split("\n")
    assert rows[:3] == ["# a talk.mp4", "", "Length 1:00:00"]
    assert len(rows) == 4 + len(timeline.lines)
    assert all(re.match(r"- \*\*[\d:]+–[\d:]+\*\* \w+: ", row) for row in rows[4:])
    # Nothing that opens markup stands without a backslash before it.
    texts = (row.split(": ", 1)[1] for row in rows[4:])
    assert not any(re.search(r"[`*_\[\]<>#|&~]", re.sub(r"\\.", "", text)) for text in texts)


def test_a_name_cannot_make_a_heading() -> None:
    page = write(Timeline(Video("x", "a\n# [b](c).mp4", 1.0)), "md")
    assert page.split("\n")[0] == "# a \\# \\[b\\](c).mp4"


@pytest.mark.parametrize("form", get_args(Format))
def test_a_timeline_without_lines_can_be_written(form: Format) -> None:
    assert isinstance(write(Timeline(VIDEO), form), str)


def test_real_subtitles_survive_every_format_that_can_be_read(shared: Path) -> None:
    lines = read_subtitles(shared / "long" / "sample8.srt")
    timeline = build(Video("x", "sample8.mp4", 482.8), lines)
    plain = [Line(n.start, n.end, n.kind, n.text) for n in timeline.lines]
    assert read_back(timeline, "srt") == read_back(timeline, "vtt") == plain
    assert from_json(write(timeline, "json")) == timeline
    assert len(write(timeline, "text").split("\n")) == len(lines)
