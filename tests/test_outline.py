"""Chapters and summaries as documents: what other programs read, and what comes back."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import get_args

import av
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli.exports.ffmetadata import ffmetadata
from silvr_cli.exports.outline import (
    ChapterFormat,
    SummaryFormat,
    chapters_schema,
    summary_schema,
    write_chapters,
    write_summary,
)
from silvr_cli.exports.youtube import refused, youtube
from silvr_cli.media.subtitles import read_subtitles
from silvr_cli.records import Chapter, Point, Section, Summary, Video
from silvr_cli.timeline import parse_clock

VIDEO = Video("x", "a # talk.mp4", 4000.0)
CHAPTERS = (
    Chapter(0.0, 12.9, "Welcome"),
    Chapter(12.9, 3600.25, "R&D <b> = 1; #2 \\ [x]"),
    Chapter(3600.25, 4000.0, "The end"),
)
POINTS = (Point(12.9, 20.0, "A *star* is seen."), Point(14.0, 20.0, "Buy ink.", "task"))
SUMMARY = Summary("minutes", (Section(0.0, 4000.0, "Start", POINTS),), ("a note",), "fake")
TITLES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60
)
STARTS = st.lists(st.integers(0, 4_000_000), min_size=1, max_size=8, unique=True)


@st.composite
def chapter_lists(draw: st.DrawFn) -> list[Chapter]:
    starts = [0.0, *sorted(ms / 1000 for ms in draw(STARTS) if ms)]
    ends = [*starts[1:], 4001.0]
    return [
        Chapter(a, b, " ".join(draw(TITLES).split()) or "x")
        for a, b in zip(starts, ends, strict=True)
    ]


def test_youtube_lines() -> None:
    assert youtube(CHAPTERS).split("\n") == [
        "0:00 Welcome",
        "0:12 R&D ‹b› = 1; #2 \\ [x]",
        "1:00:00 The end",
    ]
    assert refused(CHAPTERS) == []


def test_what_youtube_refuses() -> None:
    assert refused(CHAPTERS[:2]) == ["there are 2, and it wants 3"]
    assert "does not begin at 0:00" in refused(CHAPTERS[1:])[0]
    # 9.8 seconds apart is 0:00 to 0:09 in what YouTube reads.
    short = [Chapter(0.0, 9.8, "a"), Chapter(9.8, 30.0, "b"), Chapter(30.0, 50.0, "c")]
    assert refused(short) == ["shorter than 10 seconds: those at 0:00"]


@given(chapter_lists())
def test_youtube_has_a_line_a_chapter_in_order(chapters: list[Chapter]) -> None:
    rows = youtube(chapters).split("\n")
    assert len(rows) == len(chapters)
    times = [parse_clock(row.split(" ")[0]) for row in rows]
    assert times[0] == 0
    assert all(a <= b for a, b in pairwise(times))


@given(chapter_lists())
def test_ffmpeg_reads_its_own_format_back(
    tmp_path_factory: pytest.TempPathFactory, chapters: list[Chapter]
) -> None:
    path = tmp_path_factory.mktemp("meta") / "chapters.txt"
    path.write_text(ffmetadata(chapters, "a; title"), "utf-8", newline="\n")
    with av.open(str(path), format="ffmetadata") as container:
        found = [
            (c["start"], c["end"], c["metadata"]["title"].rstrip()) for c in container.chapters()
        ]
        assert container.metadata["title"] == "a; title"
    assert found == [(round(c.start * 1000), round(c.end * 1000), c.title) for c in chapters]


def test_vtt_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "chapters.vtt"
    path.write_text(write_chapters(CHAPTERS, VIDEO, "vtt"), "utf-8")
    found = [(n.start, n.end, n.text) for n in read_subtitles(path)]
    assert found == [(c.start, c.end, c.title) for c in CHAPTERS]


def test_json_is_what_the_schema_says() -> None:
    made = json.loads(write_chapters(CHAPTERS, VIDEO, "json"))
    jsonschema.validate(made, chapters_schema())
    assert [Chapter(**item) for item in made["chapters"]] == list(CHAPTERS)
    summary = json.loads(write_summary(SUMMARY, VIDEO, "json"))
    jsonschema.validate(summary, summary_schema())
    assert summary["summary"]["sections"][0]["points"][0]["start"] == 12.9


def test_text_and_markdown() -> None:
    assert write_chapters(CHAPTERS, VIDEO, "text").split("\n")[1] == (
        "0:12-1:00:00     R&D <b> = 1; #2 \\ [x]"
    )
    page = write_chapters(CHAPTERS, VIDEO, "md")
    assert page.startswith("# a \\# talk.mp4\n")
    assert "- **0:12** R\\&D \\<b\\> = 1; \\#2 \\\\ \\[x\\]" in page
    assert write_summary(SUMMARY, VIDEO, "text") == (
        "0:00-1:06:40  Start\n- [0:12] A *star* is seen.\n- [0:14] To do: Buy ink."
    )
    assert "## Start (0:00-1:06:40)\n\n- A \\*star\\* is seen. **[0:12]**" in write_summary(
        SUMMARY, VIDEO, "md"
    )


@pytest.mark.parametrize("form", get_args(ChapterFormat))
def test_no_chapters_can_be_written(form: ChapterFormat) -> None:
    assert isinstance(write_chapters((), VIDEO, form), str)


@pytest.mark.parametrize("form", get_args(SummaryFormat))
def test_an_empty_summary_can_be_written(form: SummaryFormat) -> None:
    assert isinstance(write_summary(Summary("tldr", ()), VIDEO, form), str)
