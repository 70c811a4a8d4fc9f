"""docs/formats.md is true: each example is what silvr writes, or becomes what stands below it."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import cast, get_args

import pytest
from pydantic import TypeAdapter

from silvr_cli.exports import Format, write
from silvr_cli.exports.outline import ChapterFormat, SummaryFormat, write_chapters, write_summary
from silvr_cli.media.own_text import read_captions
from silvr_cli.records import KIND_NAMES, Chapter, Summary, Video
from silvr_cli.timeline import as_text, build, from_json

PAGE = (Path(__file__).parents[1] / "docs" / "formats.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+) (\S+)\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
WRITTEN = {language: text for language, name, text in BLOCKS if name == "writes"}
READ = [
    (name, text, becomes)
    for (_, name, text), (_, after, becomes) in itertools.pairwise(BLOCKS)
    if after == "becomes"
]
OUTLINES = {name: text for _, name, text in BLOCKS if re.match(r"(chapters|summary)\.", name)}
FORMATS: dict[str, Format] = {
    "text": "text",
    "json": "json",
    "srt": "srt",
    "vtt": "vtt",
    "markdown": "md",
}


def test_every_block_is_an_example() -> None:
    assert set(WRITTEN) == set(FORMATS)
    told = len(WRITTEN) + len(OUTLINES) + 2 * len(READ)
    assert len(BLOCKS) == told == PAGE.count("\n```") / 2
    assert {Path(name).suffix for name, _, _ in READ} >= {".txt", ".json", ".jsonl", ".vtt"}


@pytest.mark.parametrize("language", FORMATS)
def test_written_example_is_what_is_written(language: str) -> None:
    timeline = from_json(WRITTEN["json"])
    assert write(timeline, FORMATS[language]).rstrip("\n") == WRITTEN[language]


def test_every_format_of_chapters_and_summaries_has_an_example() -> None:
    forms = {f"chapters.{form}" for form in get_args(ChapterFormat)}
    assert set(OUTLINES) == forms | {f"summary.{form}" for form in get_args(SummaryFormat)}


@pytest.mark.parametrize("name", [name for name in OUTLINES if name.startswith("chapters")])
def test_example_of_chapters_is_what_is_written(name: str) -> None:
    document = json.loads(OUTLINES["chapters.json"])
    found = TypeAdapter(tuple[Chapter, ...]).validate_python(document["chapters"])
    form = cast(ChapterFormat, name.partition(".")[2])
    video = Video(**document["video"])
    assert write_chapters(found, video, form).rstrip("\n") == OUTLINES[name]


@pytest.mark.parametrize("name", [name for name in OUTLINES if name.startswith("summary")])
def test_example_of_a_summary_is_what_is_written(name: str) -> None:
    document = json.loads(OUTLINES["summary.json"])
    found = TypeAdapter(Summary).validate_python(document["summary"])
    form = cast(SummaryFormat, name.partition(".")[2])
    video = Video(**document["video"])
    assert write_summary(found, video, form) == OUTLINES[name]


@pytest.mark.parametrize(("name", "text", "becomes"), READ, ids=[name for name, _, _ in READ])
def test_read_example_becomes_what_stands_below_it(
    tmp_path: Path, name: str, text: str, becomes: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    assert as_text(build(Video("x", "x", 3600.0), read_captions(path)).lines) == becomes


def test_the_kinds_are_the_ones_named() -> None:
    sentence = PAGE.split("one of ", 1)[1].split(".")[0]
    assert tuple(re.findall(r"`(\w+)`", sentence)) == KIND_NAMES
